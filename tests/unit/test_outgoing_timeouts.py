"""Calls without a timeout: found where a route leads to them, shown by a server that stays silent, and timed."""

from __future__ import annotations

import ast
import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from aiimprove.authors import AUTHORS, can_write
from aiimprove.detectors import Subject, look_all, outgoing_timeouts
from aiimprove.detectors.outgoing import code
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.improvement import Improvement, Status
from aiimprove.openapi import Route
from aiimprove.prediction import only_reads
from aiimprove.probes import replay
from aiimprove.recipes import Declined, Draft
from aiimprove.settings import Config, Service
from commands.findings import _why

CONFIG = Config(services={"api": Service(runtime="python", health="/health", openapi="/openapi.json", tests="tests")})
ROUTES = {"paths": {"/preview": {"get": {"operationId": "preview_preview_get", "parameters": [
    {"name": "url", "in": "query", "schema": {"type": "string"}}]}}}}
APP = ("import urllib.request\n\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/preview')\n"
       "def preview(url: str = ''):\n    return title(url)\n\n\ndef title(url):\n"
       "    return urllib.request.urlopen(url).read(100)\n\n\ndef nightly():\n"
       "    urllib.request.urlopen('http://example.org')\n")


def served(timeout: float | None) -> type[BaseHTTPRequestHandler]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked, status = urlsplit(self.path), 200
            for url in parse_qs(asked.query).get("url", ()):
                try:
                    urllib.request.urlopen(url, timeout=timeout).read(100)
                except (OSError, ValueError):
                    status = 502
            body = json.dumps(ROUTES if asked.path == "/openapi.json" else {}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Answers


@contextmanager
def running(timeout: float | None, folder: Path) -> Iterator[Subject]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), served(timeout))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    copy = SimpleNamespace(urls={"api": f"http://127.0.0.1:{server.server_port}"}, data=folder, logs={})
    try:
        yield Subject(CONFIG, copy, folder, {}, folder)  # type: ignore[arg-type]
    finally:
        server.shutdown()
        server.server_close()


def test_a_server_that_stays_silent_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing_timeouts, "WITHIN_SECONDS", 0.6)
    (tmp_path / "main.py").write_text(APP)
    with running(None, tmp_path) as subject:
        found, failed = look_all(subject, ["outgoing_timeouts"])
        assert not failed and [(each.cause, each.place, each.probe.kind) for each in found] == [
            ("no-timeout", "api/title", "hanging")]
        assert found[0].details["lines"] == [14] and can_write("recipes", found[0]) and not only_reads(found[0].probe)
        assert not replay(found[0].probe, subject.copy.urls["api"], tmp_path).passed
    with running(0.2, tmp_path) as subject:
        assert replay(found[0].probe, subject.copy.urls["api"], tmp_path).observed.startswith("answered 502")
        listed, _ = look_all(subject, ["outgoing_timeouts"])
    assert [each.probe.kind for each in listed] == ["none"] and not can_write("recipes", listed[0])
    assert "cannot be shown" in _why(Improvement("a", listed[0], Status.NEEDS_AUTHOR))


HEAD = "import requests\n\n\ndef preview(url, **options):\n"
ASKED = Route("GET", "/preview", "preview", ())


@pytest.mark.parametrize(("text", "said"), [
    (HEAD + "    return requests.get(url)\n", ["requests.get"]),
    (HEAD + "    return requests.post(url, data=b'', headers={})\n", ["requests.post"]),
    (HEAD + "    with requests.Session() as session:\n        return session.get(url)\n", ["session.get"]),
    (HEAD + "    return helper(url)\n\n\ndef helper(url):\n    return requests.get(url)\n", ["requests.get"]),
    (HEAD.replace("import requests", "from requests import get as ask") + "    return ask(url)\n", ["ask"]),
    (HEAD.replace("import requests", "from urllib.request import urlopen") + "    return urlopen(url, None)\n",
     ["urlopen"]),
    (HEAD.replace("import requests", "from urllib import request") + "    return request.urlopen(url)\n",
     ["request.urlopen"]),
    (HEAD + "    return requests.get(url, timeout=3)\n", []),
    (HEAD + "    return requests.get(url, timeout=None)\n", []),
    (HEAD + "    return requests.get(url, **options)\n", []),
    (HEAD + "    return options.get(url)\n", []),
    (HEAD + "    return 1\n\n\ndef job(url):\n    return requests.get(url)\n", []),
    (HEAD.replace("import requests", "from urllib.request import urlopen") + "    return urlopen(url, None, 5)\n", []),
    (HEAD + "    return requests.get(url)\n\n\nimport socket\n\nsocket.setdefaulttimeout(9)\n", []),
    (HEAD.replace("import requests", "import httpx") + "    return httpx.get(url)\n", []),
    (HEAD + "    session = requests.Session()\n    session.mount('http://', Timed())\n    return session.get(url)\n",
     []),
    ("def preview(:\n", []),
])
def test_what_waits_is_read_in_the_code_that_a_route_leads_to(tmp_path: Path, text: str, said: list[str]) -> None:
    (tmp_path / "main.py").write_text(text)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("import requests\n\n\ndef preview():\n    requests.get('http://a')\n")
    assert [each.said for each in code(tmp_path).reached(ASKED)] == said


def write(tree: Path, text: str, lines: list[int], calls: list[str], **more: str) -> tuple[Draft | Declined, str]:
    for name, each in {"main": text, **more}.items():
        path = tree / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(each)
    details = {"service": "api", "method": "GET", "route": "/preview", "file": "main.py", "function": "preview",
               "lines": lines, "calls": calls}
    probe = Probe("hanging", "api", {"method": "GET", "path": "/preview?url=http%3A%2F%2Fstub.invalid%2F"}, {})
    finding = Finding("outgoing_timeouts", Kind.BUG, "no-timeout", "api/preview", "t", "s", probe, 1.0, details)
    return AUTHORS["recipes"].write(finding, tree, CONFIG), (tree / "main.py").read_text()


@pytest.mark.parametrize(("call", "expected"), [
    ("requests.get(url)", "requests.get(url, timeout=10)"),
    ("requests.get(url, headers={'a': 'b'},)", "requests.get(url, headers={'a': 'b'}, timeout=10,)"),
    ("requests.get(\n        url,\n        headers={},\n    )",
     "requests.get(\n        url,\n        headers={},\n        timeout=10,\n    )"),
    ("requests.get(\n        url\n    )", "requests.get(\n        url,\n        timeout=10\n    )"),
])
def test_ten_seconds_are_enough(tmp_path: Path, call: str, expected: str) -> None:
    done, after = write(tmp_path, f"{HEAD}    return {call}.json()\n", [5], ["requests.get"])
    assert isinstance(done, Draft), done
    assert after == f"{HEAD}    return {expected}.json()\n"


def test_its_test_tells_another_number_from_ten(tmp_path: Path) -> None:
    fixture = ("import pytest\nfrom fastapi.testclient import TestClient\nfrom main import app\n\n\n@pytest.fixture\n"
               "def client():\n    return TestClient(app)\n")
    text = APP.replace("def title(url):\n", "").replace("    return title(url)\n\n\n", "")
    done, after = write(tmp_path, text, [10], ["urllib.request.urlopen"], tests__conftest=fixture, tests__test_a="")
    assert isinstance(done, Draft) and "urlopen(url, timeout=10)" in after, done
    [path] = [each for each in done.files if each.startswith("tests/")]
    test = (tmp_path / path).read_text()
    ast.parse(test)
    assert "assert [each.args[-1] for each in asked.call_args_list[:1]] == [10]" in test


def test_what_has_moved_is_left_alone(tmp_path: Path) -> None:
    text = f"{HEAD}    pass\n    return requests.get(url)\n"
    done, after = write(tmp_path, text, [5], ["requests.get"])
    assert isinstance(done, Declined) and "do not stand where" in done.reason and after == text
