import os
import sqlite3

from fastapi import FastAPI
from pydantic import BaseModel

DB_PATH = os.environ.get("KANBAN_DB", "kanban.db")

app = FastAPI()


def connect():
    connection = sqlite3.connect(DB_PATH)
    connection.execute("CREATE TABLE IF NOT EXISTS cards (id INTEGER PRIMARY KEY, title TEXT, lane TEXT)")
    return connection


class Card(BaseModel):
    title: str
    lane: str = "todo"


@app.get("/api/cards")
def cards(lane: str = ""):
    with connect() as connection:
        rows = connection.execute("SELECT id, title, lane FROM cards WHERE ? IN ('', lane)", (lane,)).fetchall()
    return [{"id": row[0], "title": row[1], "lane": row[2]} for row in rows]


@app.post("/api/cards", status_code=201)
def add(card: Card):
    with connect() as connection:
        made = connection.execute("INSERT INTO cards (title, lane) VALUES (?, ?)", (card.title, card.lane))
    return {"id": made.lastrowid}
