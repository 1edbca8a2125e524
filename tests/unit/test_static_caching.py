"""Files that browsers fetch again: told by their names and answers, and kept where the name says what is in them."""

from __future__ import annotations

import ast
import functools
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from aiimprove.authors import AUTHORS
from aiimprove.detectors import Subject, look_all
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.hashed import is_hashed
from aiimprove.probes import replay
from aiimprove.recipes import Declined, Draft
from aiimprove.settings import Config, Service

CONFIG = Config(services={"site": Service(smoke=["/"], health="/index.html")})
PAGE = ('<!doctype html><link rel="stylesheet" href="css/site.css?v=1"><script src="/app.0a1b2c3d.js"></script>'
        '<img src="https://elsewhere.example/a.png"><img src="/gone.png"><a href="about.html">About</a>')


class Kept(SimpleHTTPRequestHandler):
    """Python's own server of files, which answers 304 to If-Modified-Since."""

    control = ""

    def end_headers(self) -> None:
        if self.control and is_hashed(self.path):
            self.send_header("Cache-Control", self.control)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Immutable(Kept):
    control = "public, max-age=31536000, immutable"


class Forgetful(Kept):
    """Sends everything again to everybody."""

    def do_GET(self) -> None:
        del self.headers["If-Modified-Since"]
        super().do_GET()


@contextmanager
def served(folder: Path, kind: type[Kept]) -> Iterator[Subject]:
    (folder / "css").mkdir(exist_ok=True)
    for name, text in {"index.html": PAGE, "about.html": "<html>", "css/site.css": "a{}" * 900,
                       "app.0a1b2c3d.js": "1;" * 900}.items():
        (folder / name).write_text(text)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(kind, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    copy = SimpleNamespace(urls={"site": f"http://127.0.0.1:{server.server_port}"}, data=folder)
    try:
        yield Subject(CONFIG, copy, folder, {}, folder)  # type: ignore[arg-type]
    finally:
        server.shutdown()
        server.server_close()


def test_only_names_that_change_with_their_content_are_to_be_kept(tmp_path: Path) -> None:
    with served(tmp_path, Kept) as subject:
        [found], failed = look_all(subject, ["static_caching"])
        assert not failed and (found.cause, found.details["paths"]) == ("hashed-not-kept", ["/app.0a1b2c3d.js"])
        assert not replay(found.probe, subject.copy.urls["site"], tmp_path).passed
    with served(tmp_path, Immutable) as subject:
        assert look_all(subject, ["static_caching"]) == ([], [])
        assert replay(found.probe, subject.copy.urls["site"], tmp_path).passed


def test_a_server_that_sends_all_of_it_again(tmp_path: Path) -> None:
    with served(tmp_path, Forgetful) as subject:
        found, _ = look_all(subject, ["static_caching"])
        again = next(each for each in found if each.cause == "sent-again")
        assert again.details["paths"] == ["/app.0a1b2c3d.js", "/css/site.css?v=1"] and again.probe.kind == "again"
        assert not replay(again.probe, subject.copy.urls["site"], tmp_path).passed
    with served(tmp_path, Kept) as subject:
        assert replay(again.probe, subject.copy.urls["site"], tmp_path).passed


@pytest.mark.parametrize(("name", "wanted"), [
    ("/static/main.5f3a91bc.js", True), ("/assets/index-DiwrgTd4.css", True), ("/a/logo.9b0c4d1e2f3a4b5c.svg", True),
    ("/a/jquery-3.7.1.min.js", False), ("/a/report-20240101.css", False), ("/a/site.css", False),
    ("/a/bootstrap-grid.css", False), ("/a/deadbeef.js", False), ("/a/main-v2beta10.js", False),
    ("/a/app-facefeed.js", False)])
def test_what_a_hash_looks_like(name: str, wanted: bool) -> None:
    assert is_hashed(name) is wanted


def test_real_hashes_are_known() -> None:
    names = [f"/app.{hashlib.md5(str(number).encode()).hexdigest()[:12]}.css" for number in range(300)]
    assert sum(map(is_hashed, names)) >= 295  # one of digits or letters alone may be anything


def write(tree: Path, name: str, text: str, **more: object) -> tuple[Draft | Declined, str]:
    config = Config(services={"web": Service(folder="srv", runtime="node" if name.endswith(".js") else "python")})
    (tree / "srv").mkdir(exist_ok=True)
    (tree / "srv" / name).write_text(text)
    details = {"service": "web", "path": "/static/app.0a1b2c3d.js", "cache_control": "no-cache", **more}
    finding = Finding("static_caching", Kind.PERFORMANCE, "hashed-not-kept", "web", "t", "s",
                      Probe("http", "web", {}, {}), 1.0, details)
    return AUTHORS["recipes"].write(finding, tree, config), (tree / "srv" / name).read_text()


FASTAPI = ("from fastapi import FastAPI\nfrom fastapi.staticfiles import StaticFiles\n\napp = FastAPI()\n"
           "app.mount('/static', StaticFiles(directory='static'))\n")
FLASK = "import os\n\nfrom flask import Flask\n\n\ndef make():\n    app = Flask(__name__)\n    return app\n"
EXPRESS = ('const express = require("express");\nconst path = require("path");\n\nconst app = express();\n\n'
           'app.use("/static", express.static(path.join(__dirname, "static")));\n\nmodule.exports = app;\n')


def test_fastapi_and_flask_get_a_few_lines(tmp_path: Path) -> None:
    done, after = write(tmp_path, "main.py", FASTAPI)
    assert isinstance(done, Draft) and done.approach == "hashed_files", done
    ast.parse(after)
    assert after.startswith("import re\n\nfrom fastapi")
    assert "app = FastAPI()\napp.add_middleware(KeepHashedFiles)\n" in after
    done, after = write(tmp_path, "main.py", FLASK)
    assert isinstance(done, Draft) and done.approach == "flask_hashed_files", done
    ast.parse(after)
    assert "import os\nimport re\n" in after and "    app.after_request(keep_hashed_files)\n" in after


def test_express_gets_an_option(tmp_path: Path) -> None:
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv" / "package.json").write_text('{"dependencies": {"express": "5"}}')
    done, after = write(tmp_path, "app.js", EXPRESS)
    assert isinstance(done, Draft) and done.approach == "express_hashed_files", done
    assert 'express.static(path.join(__dirname, "static"), { setHeaders: keepHashedFiles }));' in after
    assert after.index("const app = express();") < after.index("function keepHashedFiles(response, file) {")


@pytest.mark.parametrize(("name", "text", "said"), [
    ("main.py", FASTAPI + "# immutable\n", "keeps files already"),
    ("main.py", FLASK + "# app.config['SEND_FILE_MAX_AGE_DEFAULT'] = 3600\n", "keeps files already"),
    ("main.py", FLASK.replace("os", "os as re"), "something called re"),
    ("app.js", EXPRESS.replace('"static"))', '"static"), { maxAge: 5 })'), "without options"),
    ("app.js", EXPRESS + 'app.use(express.static("more"));\n', "not called once"),
    ("app.js", EXPRESS.replace("express.static", "serve"), "not called once"),
])
def test_who_has_decided_already_is_left_alone(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv" / "package.json").write_text('{"dependencies": {"express": "5"}}' if name == "app.js" else "{}")
    done, after = write(tmp_path, name, text)
    assert isinstance(done, Declined) and said in done.reason, done
    assert after == text


def test_flask_that_says_itself_for_how_long(tmp_path: Path) -> None:
    done, _ = write(tmp_path, "main.py", FLASK, cache_control="public, max-age=60")
    assert isinstance(done, Declined) and "says itself" in done.reason
