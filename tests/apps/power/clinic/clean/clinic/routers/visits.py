from datetime import date

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from clinic.database import get_db
from clinic.models import Doctor, Visit

router = APIRouter(prefix="/visits", tags=["visits"])


class NewVisit(BaseModel):
    doctor_id: int = Field(ge=1, le=2**31 - 1)
    day: date
    note: str = ""


@router.get("")
def visits_on(day: date = date(2026, 3, 2), db: Session = Depends(get_db)):
    found = db.query(Visit).filter(Visit.day == day.isoformat()).order_by(Visit.id).limit(50)
    return [{"id": visit.id, "doctor_id": visit.doctor_id, "note": visit.note} for visit in found]


@router.post("", status_code=201)
def add_visit(new: NewVisit, db: Session = Depends(get_db)):
    if db.get(Doctor, new.doctor_id) is None:
        raise HTTPException(404, "no such doctor")
    visit = Visit(doctor_id=new.doctor_id, day=new.day.isoformat(), note=new.note.strip())
    db.add(visit)
    db.commit()
    return {"id": visit.id, "day": visit.day, "note": visit.note}
