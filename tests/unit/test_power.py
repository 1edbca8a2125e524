"""The dev set and its bench: what counts as found, false and harmful, and what is held against an app with a fix."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from aiimprove.probes import Line
from bench.power import targets
from bench.power_apps import App, Planted, apps
from bench.power_run import METERED, Outcome, note

EVERY = apps()


@pytest.mark.parametrize("app", EVERY, ids=lambda app: str(app.name))
def test_each_app_says_what_is_planted_and_what_it_must_still_do(app: App, tmp_path: Path) -> None:
    assert app.planted and len(app.acceptance) >= 5 and len({each.name for each in app.planted}) == len(app.planted)
    assert bool(app.database) is (app.folder / "fill.sql").exists()
    app.write(tmp_path / "planted", clean=False)
    app.write(tmp_path / "clean", clean=True)
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert not [file for file in written if file.name in ("planted.toml", "fill.sql", "config.toml")]
    for file in written:
        if file.suffix == ".py":
            ast.parse(file.read_text("utf-8"))
    same = [file for file in (app.folder / "clean").rglob("*") if file.is_file()
            and (app.folder / "app" / file.relative_to(app.folder / "clean")).exists()]
    assert same, "a clean control is the same app, without the defects"


@pytest.mark.parametrize(("where", "cause", "place", "met"), [
    ("GET /books/{key}", "c", "app GET /books/{key}", True),
    ("GET /books/{key}", "c", "app GET /books/{key}/card", False),
    ("GET /books", "c", "app GET /books/{key}", False), ("card", "c", "app/card key", True),
    ("card", "c", "app/postcard key", False), ("Books.get", "c", "app/shop.Books.get key", True),
    ("books(day", "c", "app/shop.db:books(day, id)", True), ("books(day", "c", "app/shop.db:books(days)", False),
    ("app", "c", "app", True), ("app", "other", "app", False), ("app", "d", "app", True)])
def test_a_finding_is_about_a_defect_by_its_cause_and_its_place(where: str, cause: str, place: str, met: bool) -> None:
    assert Planted(("c", "d"), where).met_by({"cause": cause, "place": place}) is met


def found(cause: str, place: str) -> dict[str, Any]:
    return {"cause": cause, "place": place, "title": f"{cause} {place}"}


def seen(*findings: dict[str, Any], proposed: int) -> dict[str, Any]:
    return {"findings": list(findings), "failed_detectors": [],
            "proposed": [{"title": each["title"], "status": "PROPOSED"} for each in findings[:proposed]]}


SHOP = App("shop", Path(), (Planted(("slow",), "books"), Planted(("crash",), "card")), (Planted(("odd",), "known"),),
           (), (), "")


def test_what_counts_as_found_and_as_false() -> None:
    outcome = Outcome("shop", SHOP)
    note(outcome, seen(found("slow", "app/books"), found("odd", "app/known"), found("crash", "app/other"),
                       found("slow", "app/elsewhere"), proposed=3))
    assert outcome.found == {"slow books"} and outcome.findings == 4 and outcome.of == 2
    assert len(outcome.proposed) == 3 and [words.split(":")[0] for words in outcome.false] == ["crash at app/other"]
    assert [words.split(":")[0] for words in outcome.odd] == ["crash at app/other", "slow at app/elsewhere"]


def test_in_a_clean_control_every_proposal_is_false() -> None:
    outcome = Outcome("shop, clean", SHOP, clean=True)
    note(outcome, seen(found("slow", "app/books"), found("odd", "app/known"), proposed=1))
    assert outcome.of == 0 and len(outcome.false) == 1 and len(outcome.odd) == 2


def test_what_is_not_found_or_false_or_harmful_breaks_a_target() -> None:
    outcome = Outcome("shop", SHOP, found={"slow books", "crash card"}, proven={"slow books", "crash card"},
                      proposed=["a", "b"], tried=2, first=100.0, cpu=(20.0, 10.0))
    clean = Outcome("shop, clean", SHOP, clean=True, cpu=(20.0, 10.0))
    assert all(target.holds for target in targets([outcome, clean]))
    for broken, words in ((Outcome("shop", SHOP, proven={"a", "b"}), "not found"), (Outcome("shop", SHOP), "without"),
                          (Outcome("shop", SHOP, proposed=["a"], false=["a"]), "false"),
                          (Outcome("shop", SHOP, harmful=["a"]), "harmful"),
                          (Outcome("shop", SHOP, first=301.0), "first proposal"),
                          (Outcome("shop", SHOP, cpu=(61.0, 1.0)), "CPU"),
                          (Outcome("shop", SHOP, problem="no"), "started"),
                          (Outcome("shop, clean", SHOP, clean=True, proposed=["a"]), "clean")):
        missed = [target.name for target in targets([outcome, broken]) if not target.holds]
        assert any(words in name for name in missed), (words, missed)


class Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"title": "Emma", "year": 1815}).encode()
        self.send_response(200 if self.path == "/books/1" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def line() -> Iterator[Line]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    serving = threading.Thread(target=server.serve_forever, args=(0.05,))
    serving.start()
    with Line(f"http://127.0.0.1:{server.server_port}") as found:
        yield found
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.mark.parametrize(("row", "said"), [
    ({"send": "GET /books/1", "status": 200, "json": {"title": "Emma"}, "says": ["1815"]}, ""),
    ({"send": "GET /books/2", "status": 404}, ""), ({"send": "GET /books/2", "status": 200}, "answers 404, not 200"),
    ({"send": "GET /books/1", "status": 200, "json": {"title": "Persuasion"}}, "title is 'Emma'"),
    ({"send": "GET /books/1", "status": 200, "says": ["Jane"]}, "does not say Jane"),
])
def test_what_an_app_does_not_do_any_more_is_told(line: Line, row: dict[str, Any], said: str) -> None:
    app = App("shop", Path(), (), (), (row,), (), "")
    told = list(app.objections(line))
    assert len(told) == bool(said) and said in "".join(told)


def test_a_fix_that_answers_something_else_is_told(line: Line) -> None:
    assert Planted(("c",), "w", True, "GET /books/2", (404,)).objection(line) == ""
    assert Planted(("c",), "w", True, "GET /books/2", (422,)).objection(line) == "GET /books/2 answers 404"
    assert Planted(("c",), "w").objection(line) == ""


def test_whoever_lost_his_parent_is_metered_too(tmp_path: Path) -> None:
    """The grandchild burns processor time after its parent has ended; the command waits for it by its pipe."""
    burn = "import os, time\nwhile time.process_time() < 0.4: pass"
    code = (f"import os, subprocess, sys, time\nread, write = os.pipe()\nif os.fork() == 0:\n"
            f"    subprocess.Popen([sys.executable, '-c', {burn!r}], pass_fds=[write])\n    os._exit(0)\n"
            "os.close(write)\nos.read(read, 1)\ntime.sleep(0.2)\nsys.exit(3)")
    done = subprocess.run([sys.executable, str(METERED), str(tmp_path / "cpu"), sys.executable, "-c", code])
    assert done.returncode == 3 and 0.4 <= float((tmp_path / "cpu").read_text()) < 5
