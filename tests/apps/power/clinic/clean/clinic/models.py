from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.database import Base


class Doctor(Base):
    __tablename__ = "doctors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    specialty: Mapped[str] = mapped_column(String(50))
    room: Mapped[int] = mapped_column(default=1)
    visits: Mapped[list["Visit"]] = relationship(back_populates="doctor")


class Visit(Base):
    __tablename__ = "visits"

    id: Mapped[int] = mapped_column(primary_key=True)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"), index=True)
    day: Mapped[str] = mapped_column(String(10), index=True)
    note: Mapped[str] = mapped_column(String(500), default="")
    doctor: Mapped[Doctor] = relationship(back_populates="visits")
