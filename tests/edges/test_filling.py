"""An app that nobody has used yet: its crashes are found all the same, and nothing that was made up stays."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from stand import Stand, app_python, running

from aiimprove.detectors import look_all
from aiimprove.probes import get
from aiimprove.settings import Service

APP = '''\
import os
import sqlite3

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
FILE = os.environ["JARS_DB"]


class Shelf(BaseModel):
    name: str


class Jar(BaseModel):
    shelf_id: int
    fruit: str


def run(sql, *values):
    with sqlite3.connect(FILE) as database:
        database.row_factory = sqlite3.Row
        database.execute("CREATE TABLE IF NOT EXISTS shelves (id INTEGER PRIMARY KEY, name TEXT)")
        database.execute("CREATE TABLE IF NOT EXISTS jars (id INTEGER PRIMARY KEY, shelf_id INTEGER, fruit TEXT)")
        return database.execute(sql, values)


@app.get("/ping")
def ping():
    return run("SELECT 1").fetchone()[0]


@app.get("/shelves")
def shelves():
    return [dict(row) for row in run("SELECT * FROM shelves")]


@app.post("/shelves", status_code=201)
def put_up(shelf: Shelf):
    return {"id": run("INSERT INTO shelves (name) VALUES (?)", shelf.name).lastrowid}


@app.get("/jars")
def jars():
    return {"jars": [dict(row) for row in run("SELECT * FROM jars")]}


@app.post("/jars", status_code=201)
def fill(jar: Jar):
    run("SELECT name FROM shelves WHERE id = ?", jar.shelf_id).fetchone()["name"]
    return {"id": run("INSERT INTO jars (shelf_id, fruit) VALUES (?, ?)", jar.shelf_id, jar.fruit).lastrowid}


@app.get("/jars/{jar_id}/label")
def label(jar_id: int):
    row = run("SELECT fruit FROM jars WHERE id = ?", jar_id % 2 ** 60).fetchone()
    return {"label": row["fruit"].title()}
'''


def test_crashes_show_on_a_database_without_rows(tmp_path: Path) -> None:
    tree, data = tmp_path / "tree", tmp_path / "data"
    tree.mkdir()
    data.mkdir()
    (tree / "jars.py").write_text(APP)
    service = Service(folder=".", runtime="python", health="/ping", openapi="/openapi.json", databases=["jars.db"],
                      start=["{python}", "-m", "uvicorn", "jars:app"])
    place = Stand(tree, data, app_python(), "jars:app", env={"JARS_DB": str(data / "jars.db")}, service=service)
    with running(place) as subject:
        findings, failed = look_all(subject, ["hostile_values"])
        assert get(subject.copy.urls["backend"] + "/shelves").json() == []
    assert not failed
    found = {(each.cause, each.place) for each in findings}
    assert ("missing-lookup", "backend/label jar_id") in found, found
    assert ("missing-lookup", "backend/fill shelf_id") in found, "its list needs a row of another one"
    with closing(sqlite3.connect(data / "jars.db")) as database:
        assert database.execute("SELECT COUNT(*) FROM shelves").fetchone() == (0,)
