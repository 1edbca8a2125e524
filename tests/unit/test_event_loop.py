"""Routes that let all others wait: told apart from slow ones by a second request, and made plain functions."""

from __future__ import annotations

import ast
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from aiimprove.authors import AUTHORS
from aiimprove.detectors import Subject, look_all
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.probes import replay
from aiimprove.recipes import Declined, Draft
from aiimprove.settings import Config, Service

CONFIG = Config(services={"api": Service(runtime="python", health="/health", openapi="/openapi.json")})
ROUTES = {"paths": {"/report": {"get": {"operationId": "report_report_get", "responses": {}}},
                    "/quick": {"get": {"operationId": "quick_quick_get", "responses": {}}}}}


class Answers(BaseHTTPRequestHandler):
    starved = False

    def do_GET(self) -> None:
        if self.starved and self.path == "/health":
            threading.Event().wait(0.25)
        if self.path == "/gone":
            self.send_error(500)
            return
        if self.path == "/report":
            threading.Event().wait(0.3)
        body = json.dumps(ROUTES if self.path == "/openapi.json" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering(kind: type[HTTPServer], folder: Path) -> Iterator[Subject]:
    server = kind(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    copy = SimpleNamespace(urls={"api": f"http://127.0.0.1:{server.server_port}"}, data=folder)
    try:
        yield Subject(CONFIG, copy, folder, {}, folder)  # type: ignore[arg-type]
    finally:
        server.shutdown()
        server.server_close()


def test_who_lets_others_wait_is_found_and_who_is_only_slow_is_not(tmp_path: Path) -> None:
    with answering(HTTPServer, tmp_path) as subject:
        found, failed = look_all(subject, ["event_loop"])
        assert not failed and [each.place for each in found] == ["api GET /report"]
        assert found[0].details["operation"] == "report_report_get"
        assert not replay(found[0].probe, subject.copy.urls["api"], tmp_path).passed
    with answering(ThreadingHTTPServer, tmp_path) as subject:
        assert look_all(subject, ["event_loop"]) == ([], [])
        assert replay(found[0].probe, subject.copy.urls["api"], tmp_path).passed
        broken = replace(found[0].probe, request={**found[0].probe.request, "path": "/gone"})
        assert replay(broken, subject.copy.urls["api"], tmp_path).observed == "answered 500"


def test_a_machine_on_which_everything_takes_long_is_no_route_that_blocks(tmp_path: Path,
                                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answers, "starved", True)
    with answering(ThreadingHTTPServer, tmp_path) as subject:
        assert look_all(subject, ["event_loop"]) == ([], [])


def write(tree: Path, text: str, **more: str) -> Draft | Declined:
    files = {"main.py": text} | {key.replace("__", "/") + ".py": value for key, value in more.items()}
    for name, each in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(each)
    finding = Finding("event_loop", Kind.PERFORMANCE, "blocked-event-loop", "api GET /report", "t", "s",
                      Probe("beside", "api", {}, {}), 1.0, {"service": "api", "method": "GET", "route": "/report",
                                                            "operation": "report_report_get"})
    return AUTHORS["recipes"].write(finding, tree, CONFIG)


HEAD = "import time\n\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/report')\n"
APP = HEAD + "async def report(days: int = 7):  # of a week\n    time.sleep(1)\n    return {'days': days}\n"
FIXTURE = ("import pytest\nfrom fastapi.testclient import TestClient\nfrom main import app\n\n\n@pytest.fixture\n"
           "def client():\n    return TestClient(app)\n")


def test_a_handler_that_never_awaits_becomes_a_plain_function(tmp_path: Path) -> None:
    done = write(tmp_path, APP, tests__conftest=FIXTURE, tests__test_a="")
    assert isinstance(done, Draft) and done.files == ("main.py", "tests/test_report_runs_beside_others.py")
    assert (tmp_path / "main.py").read_text() == APP.replace("async def", "def")
    test = (tmp_path / "tests/test_report_runs_beside_others.py").read_text()
    ast.parse(test)
    assert "assert not any(inspect.iscoroutinefunction(handler) for handler in handlers)" in test
    assert 'inspect.signature(handlers[0]).parameters["days"].default == 7' in test


@pytest.mark.parametrize(("text", "said"), [
    (APP.replace("time.sleep(1)", "await nap(1)"), "awaits or yields"),
    (APP.replace("time.sleep(1)", "async with lock: pass"), "awaits or yields"),
    (APP.replace("time.sleep(1)", "asyncio.create_task(nap())"), "speaks to the event loop"),
    (APP.replace("time.sleep(1)", "global days_seen"), "what all requests share"),
    (APP + "\n\nasync def other():\n    return await report()\n", "named elsewhere"),
    (APP.replace("async def", "def"), "a plain function already"),
    (APP.replace("from fastapi import FastAPI", "from quart import Quart as FastAPI"), "only FastAPI"),
])
def test_what_may_need_the_loop_stays(tmp_path: Path, text: str, said: str) -> None:
    done = write(tmp_path, text)
    assert isinstance(done, Declined) and said in done.reason
    assert (tmp_path / "main.py").read_text() == text
