"""Statements for every row of a list: counted in a running app, and in none that asks once."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from stand import Stand, running

from aiimprove.answer import Answer
from aiimprove.detectors import look_all
from aiimprove.detectors.repeated_sql import frames
from aiimprove.detectors.rows_shown import explained
from aiimprove.finding import Finding
from aiimprove.probes import replay
from aiimprove.probes.recorded import NotRecorded, Sent
from aiimprove.settings import Service

APP = '''
import json, sqlite3, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

db = sqlite3.connect("notes.db", check_same_thread=False)
db.executescript("""CREATE TABLE IF NOT EXISTS people (id INTEGER PRIMARY KEY, name);
    CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text, person);""")
if not db.execute("SELECT 1 FROM notes").fetchone():
    db.executemany("INSERT INTO people (name) VALUES (?)", [(f"p{n}",) for n in range(4)])
    db.executemany("INSERT INTO notes (text, person) VALUES (?, ?)", [(f"n{n}", n % 4 + 1) for n in range(12)])
    db.commit()

def name_of(person):
    return db.execute("SELECT name FROM people WHERE id = ?", (person,)).fetchone()[0]

def looped(most=12):
    rows = db.execute("SELECT id, text, person FROM notes LIMIT ?", (most,)).fetchall()
    return [{"id": row[0], "by": name_of(row[2])} for row in rows]

def joined():
    return [{"id": row[0], "by": row[1]} for row in db.execute(
        "SELECT n.id, p.name FROM notes n JOIN people p ON p.id = n.person")]

def counted():
    return {"numbers": [{"n": n} for n in range(9)], "totals": [db.execute(
        "SELECT count(*) FROM notes WHERE person = ?", (n,)).fetchone()[0] for n in range(6)][:3]}

known = {}
def cached():
    rows = db.execute("SELECT id, person FROM notes").fetchall()
    return [{"id": row[0], "by": known.get(row[1]) or known.setdefault(row[1], name_of(row[1]))} for row in rows]

def page():
    return "<ul>" + "".join(f'<li class="note">{name_of(row["id"] % 4 + 1)}</li>' for row in joined()) + "</ul>"

ROUTES = {"/looped": looped, "/joined": joined, "/counted": counted, "/cached": cached, "/page": page,
          "/short": lambda: looped(4), "/health": lambda: "ok",
          "/openapi.json": lambda: {"paths": {path: {"get": {"operationId": path[1:]}} for path in ROUTES}}}

class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        made = ROUTES.get(self.path, dict)()
        body = made.encode() if isinstance(made, str) else json.dumps(made).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answers).serve_forever()
'''
MENDED = APP.replace('"/looped": looped', '"/looped": joined')


def place(folder: Path, text: str) -> Stand:
    tree, data = folder / "app", folder / "data"
    tree.mkdir(parents=True)
    data.mkdir()
    (tree / "app.py").write_text(text)
    service = Service(folder=".", runtime="python", health="/health", openapi="/openapi.json")
    return Stand(tree, data, sys.executable, service=service, words=("app.py", "{port}"))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    with running(place(tmp_path_factory.mktemp("looped"), APP)) as subject:
        findings, failed = look_all(subject, ["repeated_sql"])
        assert failed == [] and not replay(findings[0].probe, subject.copy.urls["backend"], subject.copy.data).passed
    return findings


def test_a_statement_for_each_row_is_found_where_it_is_sent(found: list[Finding]) -> None:
    """By a list and by a page, which one line sends: one finding. Joins, caches, a handful of totals, and lists too
    short to tell are not found."""
    [finding] = found
    assert (finding.cause, finding.place) == ("repeated-statements", "backend/name_of people")
    details = finding.details
    assert (details["count"], details["rows"], details["file"], details["function"]) == (12, 12, "app.py", "name_of")
    assert details["statement"] == "SELECT name FROM people WHERE id = ?"
    assert APP.splitlines()[details["line"] - 1].startswith("    return db.execute(\"SELECT name FROM people")
    assert details["route"] in ("/looped", "/page") and 20 < finding.impact < 60
    assert finding.probe.expect == {"at_most": 2}


def test_its_probe_counts_and_needs_a_record(found: list[Finding], tmp_path: Path) -> None:
    mended = MENDED.replace('name_of(row["id"] % 4 + 1)', 'row["by"]')
    with running(place(tmp_path, mended)) as subject:
        seen = replay(found[0].probe, subject.copy.urls["backend"], subject.copy.data)
        assert seen.passed and seen.value == 0 and look_all(subject, ["repeated_sql"]) == ([], [])
        with pytest.raises(NotRecorded):
            replay(found[0].probe, subject.copy.urls["backend"], tmp_path / "elsewhere")


def test_lines_that_carry_every_request_are_no_place(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def main():\n    uvicorn.run(app)\n\ndef aside(get_response):\n"
                                     "    return get_response(1)\n\ndef shown(row):\n    return row.run(3)\n")
    (tmp_path / "page.html").write_text("{{ row }}\n")
    path, page = str(tmp_path / "app.py"), str(tmp_path / "page.html")
    outer = ((path, 5, "aside"), (path, 2, "main"))
    assert frames(Sent("", "", "", outer), tmp_path) == []
    inner = ((page, 1, "root"), (path, 8, "shown"))
    assert frames(Sent("", "", "", (*inner, *outer)), tmp_path) == [("app.py", "shown", 8)]


def answer(content: object) -> Answer:
    raw = content if isinstance(content, str) else json.dumps(content)
    return Answer(200, {}, raw.encode(), 0.1)


ROWS = [{"id": n, "by": {"name": f"p{n % 7}"}} for n in range(20)]


@pytest.mark.parametrize(("content", "count", "rows"), [
    (ROWS, 20, 20), (ROWS, 21, 20), (ROWS, 40, 20), ({"total": 99, "rows": ROWS}, 20, 20),
    (ROWS, 7, 20),  # one for each of the different people
    (ROWS, 6, 0), (ROWS, 8, 0), (ROWS[:4], 4, 0), (ROWS[:4], 20, 0), ({}, 9, 0), (3, 9, 0),
    ({"rows": ROWS, "totals": [1, 2, 3, 4, 5, 6]}, 5, 0),
    ("<li>a</li>" * 9, 9, 9), ("<li>a</li>" * 9, 10, 9), ("<li>a</li>" * 9, 18, 9), ("<li>a</li>" * 9, 12, 0),
    ("<li class='a'>a</li><li>b</li>" * 6, 6, 6), ("<b>a</b>" * 9, 9, 0), ("<li>a</li>" * 4, 4, 0)])
def test_the_rows_of_an_answer(content: object, count: int, rows: int) -> None:
    assert explained(answer(content), count) == rows
