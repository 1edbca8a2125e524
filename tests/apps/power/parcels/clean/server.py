import os
import secrets
import sqlite3
from contextlib import closing
from enum import Enum
from typing import Annotated

from fastapi import Cookie, FastAPI, HTTPException, Path, Query, Request, Response
from fastapi.middleware.gzip import GZipMiddleware
from pydantic import BaseModel, Field

app = FastAPI(title="Parcels")
app.add_middleware(GZipMiddleware)


@app.middleware("http")
async def careful(request: Request, call_next):
    answer = await call_next(request)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "frame-ancestors 'none'"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


DATABASE = os.environ.get("PARCELS_DB", "parcels.db")
ParcelId = Annotated[int, Path(ge=1, le=2**31)]


class Status(Enum):
    SENT = "sent"
    WAITING = "waiting"
    LOST = "lost"


class NewParcel(BaseModel):
    receiver: str = Field(min_length=1, max_length=100)
    grams: int | None = Field(None, ge=1, le=50_000)
    town: str = "Kiel"


def connect():
    connection = sqlite3.connect(DATABASE)
    connection.row_factory = sqlite3.Row
    return closing(connection)


@app.get("/status")
def status():
    return {"ok": True}


@app.get("/parcels")
def parcels(offset: Annotated[int, Query(ge=-1, le=10**6)] = 0, limit: Annotated[int, Query(ge=1, le=200)] = 30):
    with connect() as database:
        rows = database.execute("SELECT id, code, status, receiver FROM parcels ORDER BY id LIMIT ? OFFSET ?",
                                (limit, offset))
        return [dict(row) for row in rows]


@app.get("/parcels/{parcel_id}")
def parcel(parcel_id: ParcelId):
    with connect() as database:
        row = database.execute("SELECT * FROM parcels WHERE id = ?", (parcel_id,)).fetchone()
    if row is None:
        raise HTTPException(404, "no such parcel")
    return dict(row)


@app.get("/parcels/{parcel_id}/postage")
def postage(parcel_id: ParcelId):
    with connect() as database:
        row = database.execute("SELECT grams FROM parcels WHERE id = ?", (parcel_id,)).fetchone()
    if row is None:
        raise HTTPException(404, "no such parcel")
    return {"cents": 380 + (row["grams"] or 0) // 10}


@app.get("/track/{code}")
def track(code: str):
    with connect() as database:
        found = database.execute("SELECT status, receiver FROM parcels WHERE code = ?", (code,)).fetchone()
    if found is None:
        raise HTTPException(404, "no such parcel")
    return {"status": found["status"], "for": found["receiver"]}


@app.get("/receivers/{receiver}")
def sent_to(receiver: str):
    with connect() as database:
        rows = database.execute("SELECT id, code, status FROM parcels WHERE receiver = ? ORDER BY sent DESC LIMIT 20",
                                (receiver,)).fetchall()
    return {"parcels": [dict(row) for row in rows]}


@app.get("/counts")
def counts(status: Status = Status.SENT):
    with connect() as database:
        return {"count": database.execute("SELECT count(*) FROM (SELECT 1 FROM parcels WHERE id < 500 AND status = ?)",
                                          (status.value,)).fetchone()[0]}


@app.get("/welcome")
def welcome(response: Response, session: Annotated[str | None, Cookie()] = None):
    if session is None:
        response.set_cookie("session", secrets.token_urlsafe(16), httponly=True, samesite="lax")
    return {"welcome": session is None}


@app.post("/parcels", status_code=201)
def send(new: NewParcel):
    with connect() as database:
        code = secrets.token_hex(6)
        made = database.execute("INSERT INTO parcels (code, status, receiver, grams, sent) VALUES (?, 'waiting', ?, ?, "
                                "'2026-11-01')", (code, new.receiver, new.grams))
        town = new.town.title()
        database.execute("UPDATE depots SET parcels = parcels + 1 WHERE town = ?", (town,))
        database.commit()
        return {"id": made.lastrowid, "code": code, "depot": town}
