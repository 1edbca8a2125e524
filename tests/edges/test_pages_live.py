"""Pages and files of real servers: what they lack is found, mended, and held by a test."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from stand import Stand, app_python, frameworks_python, running

from aiimprove.authors import AUTHORS
from aiimprove.checks.variants import variants
from aiimprove.detectors import look_all
from aiimprove.mutation import chosen, mutants
from aiimprove.probes import get, replay
from aiimprove.recipes import Draft
from aiimprove.settings import Config, Service

FLASK = """from flask import Flask, render_template

app = Flask(__name__)


@app.get("/ping")
def ping():
    return "pong"


@app.get("/")
def index():
    return render_template("index.html")
"""
BASE = """<!doctype html>
<html>
<head><script src="/static/app.0a1b2c3d.js"></script><link rel="stylesheet" href="/static/site.css"></head>
<body><p>All of the herbs in this shop are for you, and we have more by the door.</p>{% block main %}{% endblock %}
</html>
"""
CONFTEST = "import pytest\n\nfrom main import app\n\n\n@pytest.fixture\ndef client():\n    return {}\n"
FASTAPI = """from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

app = FastAPI()


@app.get("/ping")
def ping():
    return "pong"


app.mount("/", StaticFiles(directory="pages", html=True), name="pages")
"""


def written(tree: Path, **files: str) -> Path:
    for name, text in files.items():
        path = tree / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tree


def passes(tree: Path, python: str) -> bool:
    words = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    env = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(words, cwd=tree, env=env, capture_output=True, timeout=60).returncode == 0


def mended(place: Stand, causes: set[str]) -> list[str]:
    """The files that changed, once everything found is mended on the running app and nothing else has changed."""
    config, files = Config(services={"backend": place.service}), []
    with running(place) as subject:
        found, failed = look_all(subject, ["static_caching", "page_language"])
    assert not failed and {each.cause for each in found} == causes
    for each in found:
        done = AUTHORS["recipes"].write(each, place.source, config)
        assert isinstance(done, Draft), done
        files += done.files
    with running(place) as subject:
        url = subject.copy.urls["backend"]
        for each in found:
            asked = [each.probe, *variants(each, "s")]
            assert [probe.request for probe in asked if not replay(probe, url, place.data).passed] == []
        assert look_all(subject, ["static_caching", "page_language"]) == ([], [])
        assert "immutable" not in str(get(url + "/static/site.css").headers)
        assert "immutable" not in str(get(url + "/static/gone.9a8b7c6d5e.js").headers)
    return files


@pytest.mark.slow
def test_a_flask_app_with_templates_and_static_files(tmp_path: Path) -> None:
    tree = written(tmp_path / "app", main_dot_py=FLASK, templates__base_dot_html=BASE,
                   templates__index_dot_html='{% extends "base.html" %}', static__site_dot_css="a{}" * 900,
                   **{"static__app.0a1b2c3d.js": "1;" * 900},
                   tests__conftest_dot_py=CONFTEST.format("app.test_client()"),
                   tests__test_ping_dot_py="def test_ping(client):\n    assert client.get('/ping').text == 'pong'\n")
    (tmp_path / "data").mkdir()
    service = Service(folder=".", runtime="python", health="/ping", smoke=["/"], tests="tests")
    place = Stand(tree, tmp_path / "data", frameworks_python(), service=service,
                  words=("-m", "flask", "--app", "main", "run", "--port", "{port}"))
    files = mended(place, {"hashed-not-kept", "no-page-language"})
    assert sorted(files) == ["main.py", "templates/base.html", "tests/test_hashed_files_are_kept.py",
                             "tests/test_pages_say_their_language.py"]
    assert passes(tree, frameworks_python())
    after = (tree / "main.py").read_text()
    unnoticed = []
    for mutant in chosen(mutants("main.py", FLASK, after), 12):
        (tree / "main.py").write_text(mutant.text)
        unnoticed += [str(mutant)] if passes(tree, frameworks_python()) else []
    assert unnoticed == []


@pytest.mark.slow
def test_a_fastapi_app_that_serves_built_pages(tmp_path: Path) -> None:
    page = BASE.replace("{% block main %}{% endblock %}", "")
    tree = written(tmp_path / "app", main_dot_py=FASTAPI, pages__index_dot_html=page,
                   pages__static__site_dot_css="a{}" * 900, **{"pages__static__app.0a1b2c3d.js": "1;" * 900},
                   tests__conftest_dot_py=(
                       "from fastapi.testclient import TestClient\n" + CONFTEST.format("TestClient(app)")),
                   tests__test_ping_dot_py="def test_ping(client):\n    assert client.get('/ping').json() == 'pong'\n")
    (tmp_path / "data").mkdir()
    service = Service(folder=".", runtime="python", health="/ping", smoke=["/"], tests="tests")
    place = Stand(tree, tmp_path / "data", app_python(), service=service)
    files = mended(place, {"hashed-not-kept", "no-page-language"})
    assert "main.py" in files and "pages/index.html" in files
    assert passes(tree, app_python())
    unnoticed = []
    for mutant in chosen(mutants("main.py", FASTAPI, (tree / "main.py").read_text()), 12):
        (tree / "main.py").write_text(mutant.text)
        unnoticed += [str(mutant)] if passes(tree, app_python()) else []
    assert unnoticed == []
