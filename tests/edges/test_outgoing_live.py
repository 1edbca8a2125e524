"""A FastAPI app that fetches what visitors name, without a timeout: shown by a server that stays silent; mended."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from stand import Stand, app_python, running

from aiimprove.authors import AUTHORS
from aiimprove.detectors import look_all
from aiimprove.mutation import mutants
from aiimprove.probes import get, replay
from aiimprove.recipes import Draft
from aiimprove.settings import Config, Service

APP = """import urllib.request

from fastapi import FastAPI, HTTPException

app = FastAPI()


def first_line(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return answer.readline().decode()


@app.get("/ping")
def ping():
    return "pong"


@app.get("/preview")
def preview(url: str = "data:,nothing"):
    try:
        return {"line": first_line(url)}
    except OSError:
        raise HTTPException(status_code=502)
"""
TEST = """import pytest
from fastapi.testclient import TestClient

from main import app


@pytest.fixture
def client():
    return TestClient(app)


def test_preview(client):
    assert client.get("/preview").json() == {"line": "nothing"}
"""


@pytest.mark.slow
def test_who_asks_another_server_waits_for_ten_seconds(tmp_path: Path) -> None:
    tree, data = tmp_path / "app", tmp_path / "data"
    (tree / "tests").mkdir(parents=True)
    data.mkdir()
    (tree / "main.py").write_text(APP)
    (tree / "tests" / "test_preview.py").write_text(TEST)
    service = Service(folder=".", runtime="python", health="/ping", openapi="/openapi.json", tests="tests")
    place = Stand(tree, data, app_python(), service=service)
    with running(place) as subject:
        [found], failed = look_all(subject, ["outgoing_timeouts"])
    assert not failed and (found.place, found.probe.kind) == ("backend/first_line", "hanging")
    done = AUTHORS["recipes"].write(found, tree, Config(services={"backend": service}))
    assert isinstance(done, Draft) and (tree / "main.py").read_text() == APP.replace(
        "urlopen(url)", "urlopen(url, timeout=10)")
    with running(place) as subject:
        seen = replay(found.probe, subject.copy.urls["backend"], data)
        assert seen.passed and 9 < (seen.value or 0) < 12, seen.observed
        assert get(subject.copy.urls["backend"] + "/preview").json() == {"line": "nothing"}
    assert own_tests(tree) == 0
    made = mutants("main.py", APP, (tree / "main.py").read_text())
    assert made
    for mutant in made:
        (tree / "main.py").write_text(mutant.text)
        assert own_tests(tree) != 0, mutant


def own_tests(tree: Path) -> int:
    words = [app_python(), "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    return subprocess.run(words, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
                          capture_output=True, timeout=60).returncode
