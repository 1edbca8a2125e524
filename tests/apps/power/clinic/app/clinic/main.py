from fastapi import FastAPI

from clinic import models  # noqa: F401
from clinic.database import Base, engine
from clinic.routers import doctors, visits

Base.metadata.create_all(engine)

app = FastAPI(title="Clinic")
app.include_router(doctors.router)
app.include_router(visits.router)


@app.get("/health")
def health():
    return {"status": "ok"}
