import os
import sqlite3
from datetime import date
from enum import Enum

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()


class Season(Enum):
    SPRING = "spring"
    AUTUMN = "autumn"


class Order(BaseModel):
    seed_id: int
    note: str | None = ""


SCHEMA = """
    CREATE TABLE IF NOT EXISTS seeds (id INTEGER PRIMARY KEY, name TEXT, season TEXT, sown TEXT);
    CREATE TABLE IF NOT EXISTS orders (seed_id INTEGER, note TEXT);
    INSERT OR IGNORE INTO seeds VALUES (1, 'dill', 'spring', '2026-04-01'), (2, 'leek', 'autumn', '2026-09-01');
"""


def connect():
    connection = sqlite3.connect(os.environ["SEEDS_DB"])
    connection.row_factory = sqlite3.Row
    connection.executescript(SCHEMA)
    return connection


@app.get("/ping")
def ping():
    return {"ok": True}


@app.get("/seeds")
def seeds(season: str = "spring"):
    wanted = Season(season)
    with connect() as database:
        rows = database.execute("SELECT id, name, sown FROM seeds WHERE season = ?", (wanted.value,)).fetchall()
    return [dict(row) for row in rows]


@app.get("/seeds/{name}/label")
def label(name: str):
    with connect() as database:
        row = database.execute("SELECT * FROM seeds WHERE name = ?", (name,)).fetchone()
    return {"label": row["name"].title()}


@app.get("/sown")
def sown(day: str = "2026-04-01"):
    with connect() as database:
        count = database.execute("SELECT count(*) FROM seeds WHERE sown > ?", (date.fromisoformat(day).isoformat(),))
        return {"count": count.fetchone()[0]}


@app.get("/clean/{name}")
def clean(name: str):
    with connect() as database:
        row = database.execute("SELECT * FROM seeds WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise HTTPException(404)
    return dict(row)


@app.post("/orders", status_code=201)
def order(wanted: Order):
    with connect() as database:
        database.execute("INSERT INTO orders VALUES (?, ?)", (wanted.seed_id % 1000, wanted.note.strip()))
    return {"ordered": True}
