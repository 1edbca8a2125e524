"""Following the guides at the end of docs/detectors.md and docs/recipes.md gives a detector and a recipe that work."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from aiimprove import detectors, recipes
from aiimprove.authors import AUTHORS
from aiimprove.detectors import Subject, look_all
from aiimprove.probes import replay
from aiimprove.recipes import Declined, Draft
from aiimprove.settings import Config, Service

DOCS = Path(__file__).parents[2] / "docs"
CONFIG = Config(services={"site": Service()})


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[Subject]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    copy = SimpleNamespace(urls={"site": f"http://127.0.0.1:{server.server_port}"}, data=folder)
    try:
        yield Subject(CONFIG, copy, folder, {}, folder)  # type: ignore[arg-type]
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for page, package, name, table, row in (
            ("detectors.md", detectors, "robots_txt", detectors.DETECTORS, "RobotsTxt"),
            ("recipes.md", recipes, "plain_robots", recipes.RECIPES, ("PlainRobots", ("no-robots-txt",)))):
        example = re.search(r"^## How to add one$.*?^```python\n(.*?)^```$", (DOCS / page).read_text("utf-8"),
                            re.MULTILINE | re.DOTALL)
        assert example
        folder = tmp_path / package.__name__
        folder.mkdir()
        (folder / f"{name}.py").write_text(example[1], "utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        monkeypatch.setitem(table, name, row)  # type: ignore[arg-type]


def test_what_the_guides_say_works(followed: None, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("<!doctype html><title>Cards</title>")
    with served(site) as subject:
        findings, failed = look_all(subject, ["robots_txt"])
        assert not failed and [finding.cause for finding in findings] == ["no-robots-txt"]
        probe = findings[0].probe
        assert not replay(probe, subject.copy.urls["site"], site).passed
        done = AUTHORS["recipes"].write(findings[0], site, CONFIG)
        assert isinstance(done, Draft) and done.files == ("robots.txt",)
        assert replay(probe, subject.copy.urls["site"], site).passed
        assert look_all(subject, ["robots_txt"]) == ([], []), "and a site that has it is left alone"
        again = AUTHORS["recipes"].write(findings[0], site, CONFIG)
        assert again == Declined("there is a robots.txt, and yet it is not answered")
