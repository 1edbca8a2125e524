"""What answers lack, mended in apps of three frameworks: their tests pass, and the new ones need the patch."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from stand import frameworks_python
from strangers import APPS

from aiimprove.authors import AUTHORS
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.mutation import mutants, speaks
from aiimprove.recipes import Draft
from aiimprove.settings import Config, Service

HEADERS = {"missing": ["X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy"]}
CASES = [("guestbook", "missing-security-headers", {"path": "/", **HEADERS}),
         ("bookshelf", "missing-security-headers", {"path": "/books/", **HEADERS}),
         ("bookshelf", "no-compression", {"path": "/books/"}),
         ("shortener", "missing-security-headers", {"path": "/status", **HEADERS})]


@pytest.fixture(scope="module")
def python() -> str:
    return frameworks_python()


def passes(app: str, tree: Path, python: str) -> bool:
    words = {"guestbook": [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
             "bookshelf": [python, "manage.py", "test"], "shortener": ["node", "--test", "test/"]}[app]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        return subprocess.run(words, cwd=tree, env=env, capture_output=True, timeout=20, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


@pytest.mark.slow
@pytest.mark.parametrize(("app", "cause", "details"), CASES)
def test_the_patch_comes_with_a_test_that_holds_it(app: str, cause: str, details: dict[str, object], python: str,
                                                   tmp_path: Path) -> None:
    tree = tmp_path / app
    shutil.copytree(APPS / app, tree, ignore=shutil.ignore_patterns("__pycache__"))
    if app == "shortener":
        subprocess.run(["npm", "install", "--silent"], cwd=tree, check=True)
    assert passes(app, tree, python)
    finding = Finding("d", Kind.SECURITY, cause, "web", "t", "s", Probe("http", "web", {}, {}), 1.0,
                      {"service": "web", **details})
    done = AUTHORS["recipes"].write(finding, tree, Config(services={"web": Service(health="/ping")}))
    assert isinstance(done, Draft) and passes(app, tree, python)
    file = next(each for each in done.files if (APPS / app / each).exists())
    before, after = (APPS / app / file).read_text(), (tree / file).read_text()
    every = [each for each in mutants(file, before, after) if speaks(file)]
    unnoticed = []
    for text in [before, *(each.text for each in every)]:
        (tree / file).write_text(text)
        unnoticed += [text] if passes(app, tree, python) else []
    assert every and not unnoticed
