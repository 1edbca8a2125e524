"""Probes against a real socket: good answers, bad answers, answers that never come."""

from __future__ import annotations

import gzip
import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from aiimprove.errors import NotHealthy
from aiimprove.finding import Probe
from aiimprove.probes import Dropped, Unreachable, get, replay, wait_until_healthy
from aiimprove.probes.plans import explain

PAGE = b"<p>" + b"many words " * 400 + b"</p>"


class Site(BaseHTTPRequestHandler):
    """Routes that behave and misbehave like the services of an app."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        getattr(self, "answer_" + self.path.strip("/").split("?")[0].replace("-", "_"), self.answer_missing)()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.say(500 if body["count"] < 0 else 200, b"{}")

    def say(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer_missing(self) -> None:
        self.say(404, b"no")

    def answer_ok(self) -> None:
        self.say(200, b"{}", x_content_type_options="nosniff", content_security_policy="frame-ancestors 'none'")

    def answer_crash(self) -> None:
        self.say(500, b"oops")

    def answer_plain(self) -> None:
        self.say(200, PAGE, content_type="text/html")

    def answer_packed(self) -> None:
        taken = "gzip" in self.headers.get("accept-encoding", "")
        self.say(200, gzip.compress(PAGE), content_encoding="gzip") if taken else self.say(200, PAGE)

    def answer_cut(self) -> None:
        self.say(200, gzip.compress(PAGE)[:40], content_encoding="gzip")

    def answer_search(self) -> None:
        self.say(200, json.dumps({"page": {"total": 3}, "items": [1, 2]}).encode())

    def answer_drop(self) -> None:
        self.close_connection = True

    def answer_half(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        self.wfile.write(b"half")
        self.close_connection = True

    def answer_endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        while True:
            self.wfile.write(b"x" * 65536)

    def answer_late(self) -> None:
        self.say(200 if type(self).asked > 4 else 503, b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    Site.asked = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def http(path: str, **expect: object) -> Probe:
    return Probe("http", "web", {"method": "GET", "path": path}, expect)


@pytest.mark.parametrize(("path", "expect", "passed"), [
    ("/ok", {"status_below": 500}, True),
    ("/missing", {"status_below": 500}, True),
    ("/crash", {"status_below": 500}, False),
    ("/drop", {"status_below": 500}, False),
    ("/half", {"status_below": 500}, False),
    ("/missing", {"status_in": [404, 422]}, True),
    ("/ok", {"status_in": [404, 422]}, False),
    ("/ok", {"header": {"name": "X-Content-Type-Options", "pattern": "^nosniff$"}}, True),
    ("/ok", {"header": {"name": "X-Content-Type-Options", "pattern": "^never$"}}, False),
    ("/ok", {"headers": [{"name": "Referrer-Policy"}]}, False),
    ("/missing", {"headers": []}, False),
    ("/ok", {"headers": [{"name": "X-Frame-Options",
                          "or": [{"name": "Content-Security-Policy", "pattern": "frame-ancestors"}]}]}, True),
    ("/packed", {"encoding": ["gzip"], "at_most_bytes": 3000, "identity_readable": True}, True),
    ("/packed", {"encoding": ["gzip"], "at_most_bytes": 20, "identity_readable": True}, False),
    ("/plain", {"encoding": ["gzip"], "at_most_bytes": 3000, "identity_readable": True}, False),
    ("/cut", {"encoding": ["gzip"], "at_most_bytes": 3000, "identity_readable": True}, False),
    ("/search", {"json_total_at_least": {"pointer": "/page/total", "value": 3}}, True),
    ("/search", {"json_total_at_least": {"pointer": "/page/total", "value": 4}}, False),
    ("/search", {"json_total_at_least": {"pointer": "/items", "value": 2}}, True),
    ("/search", {"json_total_at_least": {"pointer": "/nowhere", "value": 0}}, False),
    ("/plain", {"json_total_at_least": {"pointer": "", "value": 0}}, False),
])
def test_an_http_probe_tells_a_good_answer_from_a_bad_one(
        site: str, tmp_path: Path, path: str, expect: dict[str, object], passed: bool) -> None:
    assert replay(http(path, **expect), site, tmp_path).passed is passed


def test_a_body_is_sent_as_json(site: str, tmp_path: Path) -> None:
    def probe(count: int) -> Probe:
        return Probe("http", "web", {"method": "POST", "path": "/", "body": {"count": count}}, {"status_below": 500})
    assert not replay(probe(-1), site, tmp_path).passed
    assert replay(probe(1), site, tmp_path).passed


def test_every_request_of_a_probe_must_be_answered_well(site: str, tmp_path: Path) -> None:
    def both(first: int, second: int) -> Probe:
        one, other = ({"method": "POST", "path": "/", "body": {"count": count}} for count in (first, second))
        return Probe("http", "web", one | {"also": [other]}, {"status_below": 500})

    assert replay(both(1, 2), site, tmp_path).passed
    assert not replay(both(1, -1), site, tmp_path).passed and not replay(both(-1, 1), site, tmp_path).passed


def test_a_probe_without_a_request_never_passes(site: str, tmp_path: Path) -> None:
    assert not replay(Probe("none", "web", {}, {}), site, tmp_path).passed


def test_nothing_there_is_no_verdict(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable):
        replay(http("/", status_below=500), f"http://127.0.0.1:{port}", tmp_path)


def test_an_endless_answer_is_read_up_to_a_limit(site: str) -> None:
    assert len(get(site + "/endless", most=200_000).raw) == 200_000


def test_silence_is_an_observed_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Dropped):
        get(f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.2)


def test_healthy_means_so_many_good_answers_in_a_row(site: str) -> None:
    wait_until_healthy([site + "/late"], 3, 10)
    assert Site.asked == 7


def test_a_service_that_never_gets_healthy_is_named_with_its_answer(site: str) -> None:
    with pytest.raises(NotHealthy, match=r"not healthy after 0\.3 seconds: .*/crash answered 500"):
        wait_until_healthy([site + "/ok", site + "/crash"], 1, 0.3)


def test_a_dead_process_is_not_waited_for(site: str) -> None:
    with pytest.raises(NotHealthy, match="ended before"):
        wait_until_healthy([site + "/crash"], 1, 60, alive=lambda: False)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "library.db") as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE videos (id INTEGER PRIMARY KEY, kind TEXT, added INTEGER)")
        connection.executemany("INSERT INTO videos (kind, added) VALUES (?, ?)",
                               [(f"kind{n % 50}", n) for n in range(5000)])
    connection.close()
    return tmp_path


def plan(table: str = "videos", *, no_temp_btree: bool = True) -> Probe:
    sql = "SELECT id FROM videos WHERE kind = 'kind7' ORDER BY added"
    return Probe("query-plan", "web", {"database": "library.db", "sql": sql},
                 {"no_scan_of": table, "no_temp_btree": no_temp_btree})


def test_a_query_plan_probe_fails_until_the_index_stands(library: Path) -> None:
    before = replay(plan(), "", library)
    assert not before.passed and "SCAN" in before.observed and before.value
    with sqlite3.connect(library / "library.db") as connection:
        connection.execute("CREATE INDEX by_kind ON videos (kind)")
    connection.close()
    assert not replay(plan(), "", library).passed
    assert replay(plan(no_temp_btree=False), "", library).passed


def test_a_probe_never_writes_to_the_database(library: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        explain(library / "library.db", "DELETE FROM videos")


def test_a_statement_that_cannot_be_run_is_no_verdict(library: Path) -> None:
    lost = Probe("query-plan", "web", {"database": "library.db", "sql": "SELECT 1 FROM nowhere"}, {"no_scan_of": "x"})
    with pytest.raises(Unreachable, match="nowhere"):
        replay(lost, "", library)


def test_a_statement_without_end_is_cut(library: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    assert 1900 < explain(library / "library.db", endless).milliseconds < 6000
