from fastapi.testclient import TestClient

from clinic.database import SessionLocal
from clinic.main import app
from clinic.models import Doctor

client = TestClient(app)


def some_doctor():
    with SessionLocal() as db:
        doctor = Doctor(name="Ada Reed", specialty="heart", room=4)
        db.add(doctor)
        db.commit()
        return doctor.id


def test_a_doctor_is_shown():
    known = some_doctor()
    assert client.get(f"/doctors/{known}").json()["name"] == "Ada Reed"
    assert client.get(f"/doctors/{known}/card").json() == {"card": "Dr. Ada Reed, room 4"}


def test_an_unknown_doctor():
    assert client.get("/doctors/999999").status_code == 404


def test_doctors_by_specialty():
    some_doctor()
    assert {each["specialty"] for each in client.get("/doctors?specialty=heart").json()} == {"heart"}


def test_a_visit_is_noted():
    made = client.post("/visits", json={"doctor_id": some_doctor(), "day": "2026-03-02", "note": " first "})
    assert made.status_code == 201 and made.json()["note"] == "first"
    assert made.json()["id"] in [each["id"] for each in client.get("/visits?day=2026-03-02").json()]


def test_a_seal():
    assert len(client.get("/doctors/1/seal").json()["seal"]) == 16
