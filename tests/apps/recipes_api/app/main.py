from fastapi import FastAPI

from app import models  # noqa: F401
from app.database import Base, engine
from app.routers import recipes

Base.metadata.create_all(engine)

app = FastAPI(title="Recipe box")
app.include_router(recipes.router)


@app.get("/health")
def health():
    return {"status": "ok"}
