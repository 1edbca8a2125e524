"""Cookies that stand for a visitor: which lack a flag, what a good answer is, and where the flags are written."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from aiimprove.answer import Answer, cookies, judge
from aiimprove.authors import AUTHORS
from aiimprove.detectors import Subject, look_all
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.probes import replay
from aiimprove.recipes import Declined, Draft
from aiimprove.settings import Config, Service

CONFIG = Config(services={"web": Service(health="/", smoke=["/", "/in"])})


@contextmanager
def answering(given: dict[str, list[str]], folder: Path, config: Config | None = None) -> Iterator[Subject]:
    """A service that sets these cookies, by path, for who does not bring them."""
    class Sets(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = {"paths": {path: {"get": {}} for path in given}} if self.path == "/routes" else {}
            body, brought = json.dumps(known).encode(), self.headers.get("Cookie", "")
            self.send_response(200)
            for each in given.get(self.path, []):
                if f"{each.partition('=')[0]}=" not in brought:
                    self.send_header("Set-Cookie", each)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Sets)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    copy = SimpleNamespace(urls={"web": f"http://127.0.0.1:{server.server_port}"}, data=folder)
    try:
        yield Subject(config or CONFIG, copy, folder, {}, folder)  # type: ignore[arg-type]
    finally:
        server.shutdown()
        server.server_close()


BARE = {"/": ["theme=dark; Path=/", "sessionid=abc; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT"],
        "/in": ["csrftoken=x; Path=/", "auth=1; HttpOnly; SameSite=Lax", 'old_session=""; Max-Age=0']}
GOOD = {"/": ["sessionid=abc; httponly; samesite=lax"], "/in": ["csrftoken=x; SameSite=Strict"]}


def test_what_stands_for_a_visitor_must_have_its_flags(tmp_path: Path) -> None:
    with answering(BARE, tmp_path) as subject:
        found, failed = look_all(subject, ["cookies"])
        assert not failed
        assert {each.details["cookie"]: each.details["missing"] for each in found} == {
            "sessionid": ["HttpOnly", "SameSite"], "csrftoken": ["SameSite"]}
        assert found[0].details["cookie"] == "sessionid" and found[0].impact > found[1].impact
        assert not any(replay(each.probe, subject.copy.urls["web"], tmp_path).passed for each in found)
    with answering(GOOD, tmp_path) as subject:
        assert look_all(subject, ["cookies"]) == ([], [])
        assert all(replay(each.probe, subject.copy.urls["web"], tmp_path).passed for each in found)
    with answering({}, tmp_path) as subject:
        seen = replay(found[0].probe, subject.copy.urls["web"], tmp_path)
        assert not seen.passed and "without the cookie" in seen.observed, "a cookie that is gone is no fix"


def test_a_cookie_that_is_set_but_once_is_seen(tmp_path: Path) -> None:
    """Whoever asks for the routes first, to learn what they take, has it already."""
    config = Config(services={"web": Service(health="/", openapi="/routes")})
    with answering({"/welcome": ["sessionid=abc; Path=/"]}, tmp_path, config) as subject:
        found, _ = look_all(subject, ["cookies"])
        assert [each.details["path"] for each in found] == ["/welcome"]


def test_several_cookies_in_one_line() -> None:
    answer = Answer(200, {"set-cookie": "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/, b=2=3; HttpOnly"}, b"", 0)
    assert cookies(answer) == {"a": ("1", frozenset({"expires", "path"})), "b": ("2=3", frozenset({"httponly"}))}
    assert judge({"cookie": {"name": "b", "flags": ["HttpOnly"]}}, answer).passed
    assert cookies(Answer(200, {}, b"", 0)) == {}


def write(tree: Path, files: dict[str, str], cookie: str, missing: list[str], method: str = "GET") -> Draft | Declined:
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    details = {"service": "web", "method": method, "path": "/in", "cookie": cookie, "missing": missing}
    finding = Finding("cookies", Kind.SECURITY, "unsafe-cookie", "web", "t", "s", Probe("http", "web", {}, {}), 1.0,
                      details)
    return AUTHORS["recipes"].write(finding, tree, CONFIG)


BOTH = ["HttpOnly", "SameSite"]
CALL = 'from fastapi import FastAPI\n\napp = FastAPI()\n\ndef come(response):\n    response.set_cookie({})\n'


@pytest.mark.parametrize(("before", "after"), [
    ('"token", "x"', '"token", "x", httponly=True, samesite="lax"'),
    ('key="token", value=made(1), max_age=60', 'key="token", value=made(1), max_age=60, httponly=True, samesite="lax"'),
    ('\n        "token",\n        "x",\n    ', '\n        "token",\n        "x", httponly=True, samesite="lax",\n    '),
])
def test_the_flags_stand_in_the_call(tmp_path: Path, before: str, after: str) -> None:
    fixture = ("import pytest\nfrom fastapi.testclient import TestClient\nfrom main import app\n\n\n@pytest.fixture\n"
               "def client():\n    return TestClient(app)\n")
    files = {"main.py": CALL.format(before), "tests/conftest.py": fixture, "tests/test_a.py": ""}
    done = write(tmp_path, files, "token", BOTH)
    assert isinstance(done, Draft) and done.files == ("main.py", "tests/test_cookie_token.py")
    assert (tmp_path / "main.py").read_text() == CALL.format(after)
    test = (tmp_path / "tests/test_cookie_token.py").read_text()
    assert 'assert "httponly" in attributes' in test and 'assert "samesite=lax" in attributes' in test
    assert ('assert "max-age=60" in attributes' in test) is ("max_age" in before)


@pytest.mark.parametrize(("call", "said"), [
    ('"token", "x", httponly=False', "says httponly already"), ('"token", "x", **flags', "in another way already"),
    ('"token", "x", 1, 2, "/", None, False', "in another way already"), ("NAME, 'x'", "no calls of set_cookie name"),
])
def test_what_the_app_says_is_left_alone(tmp_path: Path, call: str, said: str) -> None:
    done = write(tmp_path, {"main.py": CALL.format(call)}, "token", BOTH)
    assert isinstance(done, Declined) and said in done.reason
    assert (tmp_path / "main.py").read_text() == CALL.format(call)


def test_a_cookie_that_pages_read_stays_readable(tmp_path: Path) -> None:
    files = {"main.py": CALL.format('"token", "x"'), "web/a.js": 'const t = document.cookie.match(/token=(.*)/);\n'}
    done = write(tmp_path, files, "token", BOTH)
    assert done == Declined("web/a.js may read the cookie token")
    assert isinstance(write(tmp_path, {}, "token", ["SameSite"]), Draft), "SameSite takes nothing from a page"


FLASK = ("from flask import Flask\n\n\ndef make():\n    app = Flask(__name__)\n    app.secret_key = 'a'\n"
         "    return app\n")


def test_the_session_of_flask(tmp_path: Path) -> None:
    done = write(tmp_path, {"shop.py": FLASK}, "session", ["SameSite"])
    assert isinstance(done, Draft) and done.approach == "flask_cookie"
    assert ('    app = Flask(__name__)\n    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"\n    app.secret_key'
            in (tmp_path / "shop.py").read_text())


@pytest.mark.parametrize(("text", "missing", "said"), [
    (FLASK.replace("app.secret_key = 'a'", "app.config.from_object('conf')"), ["SameSite"], "settings that might"),
    (FLASK, BOTH, "switched off"),
])
def test_the_session_of_flask_is_left_alone(tmp_path: Path, text: str, missing: list[str], said: str) -> None:
    done = write(tmp_path, {"shop.py": text}, "session", missing)
    assert isinstance(done, Declined) and said in done.reason
