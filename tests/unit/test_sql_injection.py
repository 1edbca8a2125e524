"""Texts that become part of a statement are found, whether the app crashes or hides it; bound ones never."""

from __future__ import annotations

import html
import json
import sqlite3
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from aiimprove.checks.variants import variants
from aiimprove.detectors import RECORDED, Subject, look_all
from aiimprove.detectors.sent import senders
from aiimprove.finding import Finding
from aiimprove.prediction import only_reads
from aiimprove.probes import replay
from aiimprove.settings import Config, Service

CONFIG = Config(services={"api": Service(runtime="python", health="/health", openapi="/openapi.json")})
Rows = list[tuple[object, ...]]
Ask = Callable[[sqlite3.Connection, str], object]


def served(ask: Ask, method: str, log: Path) -> type[BaseHTTPRequestHandler]:
    location = {"parameters": [{"name": "q", "in": "query", "schema": {"type": "string", "example": "dill"}}]}
    body = {"requestBody": {"content": {"application/json": {"schema": {
        "properties": {"q": {"type": "string", "example": "dill"}}, "required": ["q"]}}}}}
    operation = {"operationId": "herbs", **(body if method == "POST" else location)}
    routes = {"paths": {"/herbs": {method.lower(): operation}}}

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path == "/openapi.json":
                self.give(200, routes)
            else:
                self.answer(parse_qs(asked.query, keep_blank_values=True).get("q", ["dill"])[0])

        def do_POST(self) -> None:
            self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["q"])

        def answer(self, text: str) -> None:
            database = sqlite3.connect(":memory:")
            database.executescript("CREATE TABLE herbs (id INTEGER, name TEXT); INSERT INTO herbs VALUES "
                                   "(1, 'dill'), (2, 'sage'), (3, 'mint')")
            try:
                self.give(200, ask(database, text))
            except (sqlite3.Error, ValueError):
                with log.open("a") as file:
                    traceback.print_exc(file=file)
                self.give(500, {})
            finally:
                database.close()

        def give(self, status: int, content: object) -> None:
            sent = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    return Answers


@contextmanager
def running(ask: Ask, folder: Path, method: str = "GET") -> Iterator[Subject]:
    log = folder / "api.log"
    log.touch()
    server = ThreadingHTTPServer(("127.0.0.1", 0), served(ask, method, log))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    copy = SimpleNamespace(urls={"api": f"http://127.0.0.1:{server.server_port}"}, data=folder, logs={"api": log})
    try:
        yield Subject(CONFIG, copy, Path(__file__).parent, {}, folder)  # type: ignore[arg-type]
    finally:
        server.shutdown()
        server.server_close()


def rows(database: sqlite3.Connection, sql: str, *values: object) -> Rows:
    return database.execute(sql, values).fetchall()


def by_name(database: sqlite3.Connection, text: str) -> object:
    return rows(database, f"SELECT * FROM herbs WHERE name = '{text}'")


def by_part(database: sqlite3.Connection, text: str) -> object:
    found = rows(database, f"SELECT * FROM herbs WHERE (name LIKE '%{text}%' OR id LIKE '{text}%') ORDER BY id")
    return f"<p>{html.escape(text)}: {found or 'nothing'}</p>"


def by_number(database: sqlite3.Connection, text: str) -> object:
    return rows(database, f"SELECT * FROM herbs WHERE id = {text if text.isascii() else 0}") if text != "dill" else []


def hidden(database: sqlite3.Connection, text: str) -> object:
    try:
        return rows(database, f"SELECT id FROM herbs WHERE name = '{text}'")
    except sqlite3.Error:
        return []


def inserted(database: sqlite3.Connection, text: str) -> object:
    database.execute(f"INSERT INTO herbs VALUES (9, '{text}')")
    return {"made": threading.get_ident()}


def in_double_quotes(database: sqlite3.Connection, text: str) -> object:
    return rows(database, f'SELECT * FROM herbs WHERE name = "{text}"')


def bound(database: sqlite3.Connection, text: str) -> object:
    return rows(database, "SELECT * FROM herbs WHERE name LIKE ?", f"%{text}%")


def bound_echo(database: sqlite3.Connection, text: str) -> object:
    return f"<p>No herb is called {html.escape(text)} ({json.dumps(text)})</p>"


def by_words(database: sqlite3.Connection, text: str) -> object:
    words = text.replace("'", " ").replace('"', " ").split()
    return [row for row in rows(database, "SELECT * FROM herbs") if any(word in str(row) for word in words)]


def full_text(database: sqlite3.Connection, text: str) -> object:
    database.execute("CREATE VIRTUAL TABLE words USING fts5(name)")
    return rows(database, "SELECT * FROM words WHERE name MATCH ?", text)


def noisy(database: sqlite3.Connection, text: str) -> object:
    return [rows(database, "SELECT * FROM herbs WHERE name = ?", text), rows(database, "SELECT random()")]


def quotes_crash_twice(database: sqlite3.Connection, text: str) -> object:
    if "'" in text:
        raise ValueError("syntax error: no quotes here")
    return []


@pytest.mark.parametrize(("ask", "method", "kind"), [
    (by_name, "GET", "alike"), (by_part, "GET", "alike"), (hidden, "GET", "alike"), (by_name, "POST", "alike"),
    (in_double_quotes, "GET", "alike"), (inserted, "POST", "http")])
def test_a_text_that_becomes_sql_is_found_and_stays_away_once_bound(tmp_path: Path, ask: Ask, method: str,
                                                                    kind: str) -> None:
    with running(ask, tmp_path, method) as subject:
        found, failed = look_all(subject, ["sql_injection"])
        assert not failed and [each.cause for each in found] == ["sql-injection"]
        hole = found[0]
        assert hole.probe.kind == kind and not replay(hole.probe, subject.copy.urls["api"], tmp_path).passed
        asked = variants(hole, "s")
        failing = [each for each in asked if not replay(each, subject.copy.urls["api"], tmp_path).passed]
        assert failing
    with running(bound, tmp_path, method) as subject:
        assert replay(hole.probe, subject.copy.urls["api"], tmp_path).passed
        assert all(replay(each, subject.copy.urls["api"], tmp_path).passed for each in failing)


def test_the_line_that_sends_it_is_told_and_live_is_never_asked(tmp_path: Path) -> None:
    with running(by_part, tmp_path) as subject:
        [hole], _ = look_all(subject, ["sql_injection"])
    assert hole.place == "api/rows q" and hole.details["exception"] == "OperationalError"
    assert Path(__file__).read_text().splitlines()[hole.details["line"] - 1].startswith("    return database.execute")
    assert not only_reads(hole.probe) and hole.details["routes"] == ["GET /herbs"]


@pytest.mark.parametrize("ask", [bound, bound_echo, by_words, full_text, noisy, quotes_crash_twice])
def test_what_is_bound_or_has_a_language_of_its_own_is_left_alone(tmp_path: Path, ask: Ask) -> None:
    with running(ask, tmp_path) as subject:
        assert look_all(subject, ["sql_injection"]) == ([], [])


def test_what_a_quote_crashes_is_one_finding(tmp_path: Path) -> None:
    with running(by_name, tmp_path) as subject:
        found, failed = look_all(subject, ["sql_injection", "hostile_values"])
        alone, _ = look_all(subject, ["hostile_values"])
    assert not failed and "hostile-value" in [each.cause for each in alone]
    assert [each.cause for each in found] == ["sql-injection"]


def test_the_recorder_tells_the_line_where_errors_are_hidden(tmp_path: Path) -> None:
    folder = tmp_path / RECORDED
    folder.mkdir()
    sql = "SELECT 1 WHERE 'a' OR 'qk7' LIKE 'qk8'"
    written = [{"sql": "SELECT 1"}, {"sql": sql, "sent_by": [["/x/lib.py", 1, "f"], [__file__, 7, "hidden"]]},
               {"sql": sql.replace("'", "''"), "sent_by": [[__file__, 9, "bound"]]}]
    (folder / "1.jsonl").write_text("".join(json.dumps(each) + "\n" for each in written) + '{"sql": "SEL')
    sent = senders(folder, "a' or 'qk7' LIKE 'qk8", Path(__file__).parent)
    assert sent and (sent.file, sent.function, sent.line) == (Path(__file__).name, "hidden", 7)
    assert senders(folder, "", Path(__file__).parent) is None


def test_finding_survives_being_stored(tmp_path: Path) -> None:
    with running(by_name, tmp_path) as subject:
        [hole], _ = look_all(subject, ["sql_injection"])
    assert Finding.from_json(json.loads(json.dumps(hole.to_json()))) == hole
