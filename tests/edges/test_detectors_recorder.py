"""The SQL recorder in programs that know nothing of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from aiimprove.detectors import RECORDED, instrument
from aiimprove.settings import Config, Service

CONFIG = Config(services={"web": Service(runtime="python", env={"PYTHONPATH": "/nowhere"}), "site": Service()})


def run(folder: Path, program: str, *, path: str = "", **env: str) -> str:
    extra = instrument(CONFIG, folder / "recorder")
    assert set(extra) == {"web"} and extra["web"]["PYTHONPATH"] == str(folder / "recorder")
    words = extra["web"] | {"HOME": str(folder), "PATH": os.environ["PATH"]} | env
    words["PYTHONPATH"] += os.pathsep + path
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, env=words, capture_output=True, text=True,
                          check=True, timeout=30)
    return done.stdout + done.stderr


def recorded(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for file in sorted((folder / RECORDED).glob("*.jsonl")) for line in file.open()]


PROGRAM = """
import sqlite3, threading
from sqlite3 import connect, dbapi2
def ask(opener):
    database = opener("file:shop.db?mode=rwc", uri=True)
    database.execute("CREATE TABLE IF NOT EXISTS t (a, b)")
    for value in range(20):
        database.execute("SELECT a FROM t WHERE b = ?", (f"it's {value}",)).fetchall()
    database.execute("WITH x AS (SELECT 1) SELECT * FROM x").fetchall()
    database.execute("INSERT INTO t VALUES (1, 2)")
    database.close()
for opener in (sqlite3.connect, connect, dbapi2.connect):
    ask(opener)
print("done")
"""


def test_statements_come_with_their_values_and_their_database(tmp_path: Path) -> None:
    assert run(tmp_path, PROGRAM) == "done\n"
    every = recorded(tmp_path)
    rows = [row for row in every if "sql" in row]
    assert {row["database"] for row in rows} == {str(tmp_path / "shop.db")}
    statements = [row["sql"] for row in rows]
    assert "SELECT a FROM t WHERE b = 'it''s 0'" in statements
    assert any(sql.startswith("WITH x") for sql in statements)
    assert not any("INSERT" in sql or "CREATE" in sql for sql in statements)
    assert len([sql for sql in statements if "FROM t" in sql]) == 6  # a few examples of each shape
    asked = next(row["shape"] for row in rows if "FROM t" in row["sql"])
    assert every.count({"again": asked}) == 3 * 20 - 6


def test_each_line_that_sends_a_statement_has_examples_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("""import os, sqlite3
db = sqlite3.connect("shop.db")
def one():
    return db.execute("SELECT 1").fetchall()
def two():
    return db.execute("SELECT 1").fetchall()
for _ in range(9):
    one(), two()
if os.fork() == 0:
    for _ in range(7):
        two()
else:
    os.wait()
""")
    run(tmp_path, "import runpy; runpy.run_path('app.py')")
    rows, processes = recorded(tmp_path), len(list((tmp_path / RECORDED).glob("*.jsonl")))
    assert processes == 2 and len([row for row in rows if "again" in row]) == 2 * 3 + 1
    assert {row["sent_by"][0][1:][1] for row in rows if "sql" in row} == {"one", "two"}  # type: ignore[index]
    assert len([row for row in rows if "sql" in row]) == 3 * 6


def test_the_sitecustomize_behind_it_still_runs(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "sitecustomize.py").write_text("import sys\nsys.answer = 42\n")
    assert run(tmp_path, "import sys, sitecustomize; print(sys.answer, sitecustomize.__file__)",
               path=str(other)) == f"42 {other / 'sitecustomize.py'}\n"


def test_nothing_is_recorded_unasked(tmp_path: Path) -> None:
    run(tmp_path, PROGRAM, AIIMPROVE_RECORD_SQL="")
    assert not (tmp_path / RECORDED).exists()


def test_a_program_without_sqlite_and_a_folder_that_cannot_be_written_do_no_harm(tmp_path: Path) -> None:
    assert run(tmp_path, "print(1)", HOME="/proc/nowhere").startswith("1\n")
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "sqlite3.py").write_text("raise ImportError('no sqlite here')\n")
    assert run(tmp_path, "print(2)", path=str(blocked)).startswith("2\n")
