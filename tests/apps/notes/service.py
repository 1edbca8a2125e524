import sqlite3
from pathlib import Path

import fastapi

FILE = Path("notes.db")
api = fastapi.FastAPI(title="Notes")


@api.middleware("http")
async def named(request: fastapi.Request, call_next):
    answer = await call_next(request)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def opened() -> sqlite3.Connection:
    database = sqlite3.connect(FILE)
    database.execute("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT)")
    return database


@api.get("/notes/{number}")
async def note(number: int, width: int = 80):
    row = opened().execute("SELECT text FROM notes WHERE id = ?", (number,)).fetchone()
    return {"text": (row[0] if row else "")[:width].ljust(min(width, 100))}


@api.api_route("/notes", methods=["GET", "HEAD"])
def notes(after: int = fastapi.Query(0)):
    return [row[0] for row in opened().execute("SELECT text FROM notes WHERE id > ?", (after,))]
