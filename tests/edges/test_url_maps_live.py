"""Flask and Django apps without an OpenAPI document: their URL maps, what crashes them, and the fix."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from stand import APPS, Stand, frameworks_python, running

from aiimprove.authors import AUTHORS
from aiimprove.checks.variants import variants
from aiimprove.detectors import RECORDED, look_all
from aiimprove.detectors.recorder.url_map import Finder
from aiimprove.finding import Finding
from aiimprove.probes import get, replay
from aiimprove.recipes import Draft
from aiimprove.settings import Config, Service


@pytest.fixture(scope="module")
def python() -> str:
    return frameworks_python()


def seen(place: Stand, *names: str) -> list[Finding]:
    with running(place) as subject:
        findings, failed = look_all(subject, names or ["hostile_values"])
    assert not failed
    return findings


def mended(findings: Sequence[Finding], place: Stand) -> list[Finding]:
    """Those that a recipe fixes, the last lines first: each finding names the line as it was."""
    config = Config(services={"backend": place.service})
    rows = sorted(findings, key=lambda each: -each.details.get("line", 0))
    return [each for each in rows if isinstance(AUTHORS["recipes"].write(each, place.source, config), Draft)]


def stand(app: str, folder: Path, python: str, words: tuple[str, ...], env: dict[str, str], health: str) -> Stand:
    tree, data = folder / app, folder / "data"
    shutil.copytree(APPS / app, tree, ignore=shutil.ignore_patterns("__pycache__"))
    data.mkdir()
    service = Service(folder=".", runtime="python", health=health)
    return Stand(tree, data, python, env=env, service=service, words=words)


def test_a_flask_app(tmp_path: Path, python: str) -> None:
    env = {"HERBS_DB": str(tmp_path / "data" / "herbs.db")}
    place = stand("herbs", tmp_path, python, ("-m", "flask", "--app", "herbs", "run", "--port", "{port}"), env, "/ping")
    findings = seen(place)
    assert {(each.cause, each.place) for each in findings} >= {
        ("bad-value", "backend/create_app.order number"), ("missing-lookup", "backend/create_app.herb herb_id"),
        ("missing-lookup", "backend/create_app.grower name"),  # nobody knows one that is there
        ("bad-value", "backend/create_app.herbs limit"), ("bad-value", "backend/create_app.price size"),
        ("integer-out-of-range", "backend GET /herbs"), ("null-in-body", "backend/create_app.add name")}
    fixed = mended(findings, place)
    assert len(fixed) == len(findings) == 7
    with running(place) as subject:
        url = subject.copy.urls["backend"]
        assert all(replay(each.probe, url, place.data).passed for each in fixed)
        statuses = {path: get(url + path).status for path in (
            "/herbs/2", "/herbs/3", "/herbs?limit=1", "/herbs?limit=a", f"/herbs?limit={2 ** 63}", "/price",
            "/price?size=none", "/orders/x", "/growers/ann")}
    assert statuses == {"/herbs/2": 200, "/herbs/3": 404, "/herbs?limit=1": 200, "/herbs?limit=a": 400,
                        f"/herbs?limit={2 ** 63}": 400, "/price": 200, "/price?size=none": 400, "/orders/x": 404,
                        "/growers/ann": 404}
    own_tests_pass(place, python, "-m", "pytest", "-q", "-p", "no:cacheprovider")


def test_a_django_app_that_tells_nobody_of_its_errors(tmp_path: Path, python: str) -> None:
    env = {"TOOLS_DB": str(tmp_path / "data" / "tools.db")}
    words = ("manage.py", "runserver", "--noreload", "127.0.0.1:{port}")
    place = stand("toolshed", tmp_path, python, words, env, "/tools/")
    load = "from tools.models import Tool; Tool.objects.create(name='spade', bought='2026-01-02')"
    for arguments in (("migrate",), ("shell", "-c", load)):
        subprocess.run([python, "manage.py", *arguments], cwd=place.source, env={**os.environ, **env}, check=True,
                       capture_output=True, timeout=60)
    findings = seen(place)
    rows = json.loads((place.data / RECORDED / "routes-backend.json").read_text())
    assert {row["path"] for row in rows} == {"/tools/", "/tools/{name}/", "/tools/{pk}/label/"}
    assert {(each.cause, each.place) for each in findings} == {
        ("missing-lookup", "backend/label pk"), ("bad-value", "backend/tools since")}
    assert len(mended(findings, place)) == 2
    with running(place) as subject:
        url = subject.copy.urls["backend"]
        statuses = {path: get(url + path).status for path in (
            "/tools/", "/tools/1/label/", "/tools/2/label/", "/tools/?since=2026-01-01", "/tools/?since=soon")}
    assert list(statuses.values()) == [200, 200, 404, 200, 400]
    own_tests_pass(place, python, "manage.py", "test")


@pytest.mark.slow
def test_a_flask_app_that_writes_values_into_its_sql(tmp_path: Path, python: str) -> None:
    env = {"CELLAR_DB": str(tmp_path / "data" / "cellar.db")}
    words = ("-m", "flask", "--app", "cellar", "run", "--port", "{port}")
    place = stand("cellar", tmp_path, python, words, env, "/ping")
    findings = seen(place, "sql_injection", "hostile_values")
    assert {(each.cause, each.place) for each in findings if each.cause != "bad-value"} == {
        ("sql-injection", "backend/create_app.search q"), ("sql-injection", "backend/of_region region"),
        ("sql-injection", "backend/create_app.known name")}
    holes = [each for each in findings if each.cause == "sql-injection"]
    assert mended(holes, place) and len(list((place.source / "tests").glob("*_is_a_value.py"))) == 3
    with running(place) as subject:
        url = subject.copy.urls["backend"]
        assert all(replay(each.probe, url, place.data).passed for each in holes)
        assert all(replay(each, url, place.data).passed for hole in holes for each in variants(hole, "s"))
        assert b"2 wines" in get(url + "/search?q=Beau").body and b"Barolo" in get(url + "/regions/Piemonte").body
        assert look_all(subject, ["sql_injection"]) == ([], [])
    own_tests_pass(place, python, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    shutil.copy(APPS / "cellar" / "cellar.py", place.source)
    for each in (place.source / "tests").glob("*_is_a_value.py"):
        with pytest.raises(AssertionError):
            own_tests_pass(place, python, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(each))


def own_tests_pass(place: Stand, python: str, *words: str) -> None:
    """The app's tests pass with those that came with the fixes."""
    done = subprocess.run([python, *words], cwd=place.source, env={**os.environ, **place.env}, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_other_imports_are_nobody_s_business(tmp_path: Path) -> None:
    finder = Finder(str(tmp_path / "routes.json"))
    assert finder.find_spec("json") is None and finder.find_spec("flask") is None
