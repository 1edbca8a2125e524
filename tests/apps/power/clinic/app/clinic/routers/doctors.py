import hashlib
import time
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from sqlalchemy.orm import Session

from clinic.database import get_db
from clinic.models import Doctor, Visit

router = APIRouter(prefix="/doctors", tags=["doctors"])

DoctorId = Annotated[int, Path(ge=1, le=2**31 - 1)]


def shown(doctor: Doctor) -> dict:
    return {"id": doctor.id, "name": doctor.name, "specialty": doctor.specialty, "room": doctor.room}


@router.get("")
def list_doctors(specialty: str = "", limit: int = Query(50, ge=1, le=100), db: Session = Depends(get_db)):
    query = db.query(Doctor).order_by(Doctor.id)
    if specialty:
        query = query.filter(Doctor.specialty == specialty)
    return [shown(doctor) for doctor in query.limit(limit)]


@router.get("/{doctor_id}")
def get_doctor(doctor_id: int, db: Session = Depends(get_db)):
    doctor = db.get(Doctor, doctor_id)
    if doctor is None:
        raise HTTPException(404, "no such doctor")
    return shown(doctor)


@router.get("/{doctor_id}/card")
def card(doctor_id: DoctorId, db: Session = Depends(get_db)):
    doctor = db.get(Doctor, doctor_id)
    return {"card": f"Dr. {doctor.name}, room {doctor.room}"}


@router.get("/{doctor_id}/visits")
def visits_of(doctor_id: DoctorId, db: Session = Depends(get_db)):
    if db.get(Doctor, doctor_id) is None:
        raise HTTPException(404, "no such doctor")
    found = db.query(Visit).filter(Visit.doctor_id == doctor_id).order_by(Visit.id).limit(20)
    return [{"id": visit.id, "day": visit.day, "note": visit.note} for visit in found]


@router.get("/{doctor_id}/seal")
async def seal(doctor_id: DoctorId):
    """What is printed on a prescription. The register of seals allows three requests a second."""
    time.sleep(0.35)
    return {"seal": hashlib.sha256(f"clinic {doctor_id}".encode()).hexdigest()[:16]}
