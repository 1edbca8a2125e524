"""A bookshelf: the app comes from a factory and its routes from a package."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from .api import books, loans

SCHEMA = Path(__file__).resolve().parent.parent / "schema"


def fill(path: str) -> None:
    database = sqlite3.connect(path)
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'books'").fetchone():
        for script in sorted(SCHEMA.glob("*.sql")):
            database.executescript(script.read_text())
        database.executemany("INSERT INTO books (title, genre, pages, year) VALUES (?, ?, ?, ?)", [
            (f"A rather long title of book {n}", f"genre{n % 40}", n % 900, 1900 + n % 120)
            for n in range(int(os.environ.get("SHELF_BOOKS", "50")))])
        database.commit()
    database.close()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    fill(os.environ["SHELF_DB"])
    yield


def build_application(title: str = "Shelf") -> FastAPI:
    application = FastAPI(title=title, lifespan=lifespan)
    application.add_middleware(CORSMiddleware, allow_origins=["https://example.org"])
    application.include_router(books.router, prefix="/v1")
    application.include_router(loans.loans, prefix="/v1/loans")

    @application.get("/ping")
    async def ping() -> dict[str, bool]:
        return {"ok": True}

    return application
