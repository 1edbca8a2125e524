from fastapi import FastAPI, Request
from fastapi.middleware.gzip import GZipMiddleware

from clinic import models  # noqa: F401
from clinic.database import Base, engine
from clinic.routers import doctors, visits

Base.metadata.create_all(engine)

app = FastAPI(title="Clinic")
app.add_middleware(GZipMiddleware, minimum_size=500)
app.include_router(doctors.router)
app.include_router(visits.router)


@app.middleware("http")
async def careful(request: Request, call_next):
    answer = await call_next(request)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["X-Frame-Options"] = "DENY"
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


@app.get("/health")
def health():
    return {"status": "ok"}
