"""A real app that nobody tuned the detectors for: what they find in it, and what the recipes make of that."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from stand import APPS, Stand, app_python, running

from aiimprove.authors import AUTHORS, can_write
from aiimprove.checks.variants import variants
from aiimprove.detectors import look_all
from aiimprove.finding import Finding
from aiimprove.honesty import spoken
from aiimprove.honesty.written import Known, Written
from aiimprove.probes import get, replay
from aiimprove.recipes import Declined, Draft
from aiimprove.settings import Config, Service
from aiimprove.tree import read_tree

SHELF = Service(folder=".", runtime="python", health="/ping", smoke=["/v1/books"], openapi="/openapi.json",
                databases=["shelf.db"], migrations="schema", tests="tests",
                start=["{python}", "-m", "uvicorn", "--factory", "shelf.server:build_application"])


def stand(source: Path, folder: Path, **more: object) -> Stand:
    data = folder / "data"
    data.mkdir(exist_ok=True)
    env = {"SHELF_DB": str(data / "shelf.db"), "SHELF_BOOKS": "90000"}
    return Stand(source, data, app_python(), "shelf.server:build_application", ("--factory",), env, SHELF,
                 **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    """Every finding in the app, by its place."""
    folder = tmp_path_factory.mktemp("shelf")
    live = folder / "live.log"
    access = 'INFO:     127.0.0.1:9 - "GET /v1/books/1/share?parts=0 HTTP/1.1" 500 Internal Server Error\n'
    live.write_text(access + f'''ERROR:    Exception in ASGI application
Traceback (most recent call last):
  File "/x/site-packages/fastapi/routing.py", line 1, in app
    response = await f(request)
  File "{APPS}/shelf/shelf/api/books.py", line 60, in share
    return {{"part": 100 / parts}}
ZeroDivisionError: division by zero
Traceback (most recent call last):
  File "/elsewhere/shelf/api/loans.py", line 22, in vanished
    raise KeyError("gone")
KeyError: 'gone'
ERROR:    Exception in ASGI application
Traceback (most recent call last):
  File "/release/shelf/api/books.py", line 52, in newest
    return {{}}
IndexError: No item with that key
''')
    (folder / "logs").mkdir()
    (folder / "logs" / "gateway.log").write_text("".join(json.dumps(
        {"status": status, "request": {"method": "GET", "uri": uri}}) + "\n" for status, uri in (
            (200, "/v1/books"), (500, "/v1/books/1/share?parts=0"), (500, "/v1/books/newest?a=1"))))
    with running(stand(APPS / "shelf", folder, live_logs={"backend": live})) as subject:
        before = (folder / "data" / "shelf.db").read_bytes()
        findings, failed = look_all(subject)
        assert not failed
        assert len((folder / "data" / "shelf.db").read_bytes()) == len(before)
        assert get(subject.copy.urls["backend"] + "/v1/loans/1").status == 404  # what the trial wrote is gone again
    return {finding.place: finding for finding in findings}


def parameters(finding: Finding) -> dict[str, object]:
    return {each["parameter"]: (each["lowest_ok"], each["highest_ok"]) for each in finding.details["parameters"]}


def test_integers_that_crash_are_found_with_their_borders(found: dict[str, Finding]) -> None:
    crash = found["backend GET /v1/books/{book_id}"]
    assert parameters(crash) == {"book_id": (None, 2 ** 63 - 1)}  # {book_id:int} takes no minus
    assert crash.details["crash"] == "OverflowError in shelf/api/books.py:get_item"
    assert crash.title == "GET /v1/books/{book_id} crashes on a huge book_id"


def test_what_crashes_one_route_is_one_finding(found: dict[str, Finding]) -> None:
    books = found["backend GET /v1/books"]
    assert set(parameters(books)) == {"skip", "from"}  # limit is bounded by its own schema, genre is text
    assert books.title == "GET /v1/books crashes on a huge from or skip"
    assert len({books.probe.request["path"], *(each["path"] for each in books.probe.request["also"])}) == 2
    assert "days" in parameters(found["backend POST /v1/loans"])


def test_a_crash_between_values_that_pass_has_no_borders(found: dict[str, Finding]) -> None:
    share = found["backend GET /v1/books/{book_id}/share"]
    assert share.cause == "hostile-value" and share.details["parameters"][0]["crashes"] == [0]
    assert share.impact > found["backend GET /v1/books/{book_id}"].impact


def test_what_the_logs_say_is_told_once_and_needs_a_request(found: dict[str, Finding]) -> None:
    """The division by zero is told by the parameter; what cannot be reproduced can never be proven."""
    assert not any(finding.detector == "server_errors" and finding.cause == "ZeroDivisionError"
                   for finding in found.values())
    gone = found["backend/vanished"]
    assert gone.probe.kind == "none" and not can_write("recipes", gone)
    newest = found["backend/newest"]  # its request stands in the gateway's log only
    assert (newest.cause, newest.probe.request["path"]) == ("IndexError", "/v1/books/newest?a=1")


def test_compression_and_headers_are_missed(found: dict[str, Finding]) -> None:
    both = [finding.cause for finding in found.values() if finding.place == "backend"]
    assert both  # one place, two causes: a dict by place keeps the last
    assert {"no-compression", "missing-security-headers"} >= set(both)


def test_a_slow_statement_is_found_with_an_index_that_was_measured(found: dict[str, Finding]) -> None:
    slow = [finding for finding in found.values() if finding.detector == "slow_sql"]
    assert slow
    for finding in slow:
        assert finding.details["after_ms"] < 0.7 * finding.details["before_ms"]
        assert finding.details["table"] == "books"
        assert "SCAN" in " ".join(finding.details["plan_before"])


@pytest.fixture(scope="module")
def every(found: dict[str, Finding], tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    """The findings that a recipe might fix, with the two that share a place."""
    folder = tmp_path_factory.mktemp("again")
    with running(stand(APPS / "shelf", folder)) as subject:
        more, _ = look_all(subject, ["compression", "security_headers"])
    assert {finding.cause for finding in more} == {"no-compression", "missing-security-headers"}
    return [*more, *(finding for finding in found.values() if finding.place != "backend")]


@pytest.fixture(scope="module")
def patched(every: list[Finding], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[Finding]]]:
    """A tree with every patch that the recipes wrote, and what they were for."""
    tree = tmp_path_factory.mktemp("patched") / "shelf"
    shutil.copytree(APPS / "shelf", tree, ignore=shutil.ignore_patterns("__pycache__"))
    config, fixed = Config(services={"backend": SHELF}), []
    for finding in every:
        if finding.cause == "no-compression":
            finding = Finding.from_json(finding.to_json() | {"details": {**finding.details, "spares_parts": True}})
        if isinstance(AUTHORS["recipes"].write(finding, tree, config), Draft):
            fixed.append(finding)
    return (tree, fixed)  # type: ignore[return-value]


def test_the_recipes_fix_what_they_said_they_fix(patched: tuple[Path, list[Finding]], tmp_path: Path) -> None:
    tree, fixed = patched
    assert {finding.cause for finding in fixed} == {
        "no-compression", "missing-security-headers", "missing-index", "integer-out-of-range"}
    with running(stand(tree, tmp_path)) as subject:
        url, data = subject.copy.urls["backend"], subject.copy.data
        for finding in fixed:
            seen = replay(finding.probe, url, data)
            assert seen.passed, (finding.title, seen.observed)
            if finding.cause == "missing-security-headers":
                assert {get(url + path).status for path in finding.details["refused"]} == {307, 404, 422}
                assert [each for each in variants(finding, "s") if not replay(each, url, data).passed] == []
        for path in ("/v1/books?skip=-1", "/v1/books/1", "/v1/books?from=1950", "/v1/books?skip=9223372036854775807"):
            assert get(url + path).status == 200  # what passed before still passes


def test_headers_on_success_alone_are_not_enough(patched: tuple[Path, list[Finding]], tmp_path: Path) -> None:
    tree, fixed = patched
    shutil.copytree(tree, tmp_path / "shelf")
    file = next(each for each in (tmp_path / "shelf").rglob("*.py") if "class SecurityHeaders" in each.read_text())
    started = 'message["type"] == "http.response.start"'
    file.write_text(file.read_text().replace(started, f'{started} and message["status"] < 300'))
    headers = next(each for each in fixed if each.cause == "missing-security-headers")
    with running(stand(tmp_path / "shelf", tmp_path)) as subject:
        url, data = subject.copy.urls["backend"], subject.copy.data
        assert replay(headers.probe, url, data).passed
        still = [each for each in variants(headers, "s") if not replay(each, url, data).passed]
        assert len(still) == 1 + len(headers.details["refused"])


def test_no_rule_against_cheating_objects_to_a_recipe(patched: tuple[Path, list[Finding]]) -> None:
    tree, fixed = patched
    before, after = read_tree(APPS / "shelf"), read_tree(tree)
    known = Known(None, frozenset(before), frozenset({"fastapi", "starlette", "pydantic", "pytest", "httpx"}))
    files = [Written(path, before[path].decode() if path in before else None, text.decode(), path.startswith("tests/"))
             for path, text in after.items() if before.get(path) != text]
    assert len(files) > len(fixed)
    assert {finding.title: spoken(files, replace(known, finding=finding)) for finding in fixed} == {
        finding.title: {} for finding in fixed}


def test_partial_answers_and_streams_stay_as_they_were(patched: tuple[Path, list[Finding]], tmp_path: Path) -> None:
    with running(stand(patched[0], tmp_path)) as subject:
        url, packed = subject.copy.urls["backend"], {"accept-encoding": "gzip"}
        part = get(url + "/v1/books/clip", headers=packed | {"range": "bytes=100-199"})
        assert (part.status, len(part.raw), part.headers.get("content-encoding")) == (206, 100, None)
        assert part.headers["x-content-type-options"] == "nosniff"
        stream = get(url + "/v1/books/events", headers=packed)
        assert "content-encoding" not in stream.headers and stream.raw == b"data: tick\n\n" * 3


def test_the_patched_app_passes_its_tests_and_the_new_ones_fail_without_the_patch(
        patched: tuple[Path, list[Finding]], tmp_path: Path) -> None:
    tree, fixed = patched
    assert pytest_in(tree, tmp_path) == {"passed": 3 + len(fixed)}
    bare = tmp_path / "bare"
    shutil.copytree(APPS / "shelf", bare, ignore=shutil.ignore_patterns("__pycache__"))
    for new in tree.joinpath("tests").glob("test_*.py"):
        shutil.copy(new, bare / "tests" / new.name)
    assert pytest_in(bare, tmp_path) == {"passed": 3, "failed": len(fixed)}


def pytest_in(tree: Path, folder: Path) -> dict[str, int]:
    report = folder / "report.json"
    plugin = folder / "tally.py"
    plugin.write_text("import json, os\ndef pytest_terminal_summary(terminalreporter):\n"
                      "    stats = {k: len(v) for k, v in terminalreporter.stats.items() if k in "
                      "('passed', 'failed', 'error')}\n    json.dump(stats, open(os.environ['REPORT'], 'w'))\n")
    subprocess.run([app_python(), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tally"], cwd=tree, timeout=100,
                   env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "REPORT": str(report),
                        "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, check=False)
    seen: dict[str, int] = json.loads(report.read_text())
    return seen


def test_a_crash_without_borders_and_an_unknown_cause_are_declined(found: dict[str, Finding], tmp_path: Path) -> None:
    shutil.copytree(APPS / "shelf", tmp_path / "shelf")
    config = Config(services={"backend": SHELF})
    share = found["backend GET /v1/books/{book_id}/share"]
    assert AUTHORS["recipes"].write(share, tmp_path / "shelf", config) == Declined("no recipe writes hostile-value")
    gone = found["backend/vanished"]
    assert AUTHORS["recipes"].write(gone, tmp_path / "shelf", config) == Declined("no recipe writes KeyError")


def test_an_app_in_one_file_with_other_names(tmp_path: Path) -> None:
    """No factory, no package, no documented numbers, one header set by the app, tests in another folder."""
    tree = tmp_path / "notes"
    shutil.copytree(APPS / "notes", tree, ignore=shutil.ignore_patterns("__pycache__"))
    service = Service(folder=".", runtime="python", health="/notes", smoke=["/notes"], openapi="/openapi.json",
                      tests="checks", start=["{python}", "-m", "uvicorn", "service:api"])
    (tmp_path / "data").mkdir()
    place = Stand(tree, tmp_path / "data", app_python(), "service:api", service=service)
    config = Config(services={"backend": service})
    with running(place) as subject:
        findings, failed = look_all(subject)
    assert not failed
    assert {finding.place for finding in findings} == {
        "backend", "backend GET /notes", "backend GET /notes/{number}"}
    numbers = next(finding for finding in findings if finding.place.endswith("{number}"))
    assert parameters(numbers)["width"] == (-2 ** 63, None)
    headers = next(finding for finding in findings if finding.place == "backend")
    assert headers.details["missing"] == ["X-Content-Type-Options", "X-Frame-Options"]
    for finding in findings:
        assert isinstance(AUTHORS["recipes"].write(finding, tree, config), Draft)
    assert pytest_in(tree, tmp_path) == {"passed": 1 + len(findings)}
    with running(place) as subject:
        assert all(replay(finding.probe, subject.copy.urls["backend"], subject.copy.data).passed
                   for finding in findings)
        answer = get(subject.copy.urls["backend"] + "/notes/-5?width=3")
        assert answer.status == 200 and answer.headers["referrer-policy"] == "no-referrer"


def test_lookups_and_values_that_cannot_be_read(tmp_path: Path) -> None:
    """One finding for each place of the code, each mended by its recipe; the route that asks first is left alone."""
    tree = tmp_path / "seeds"
    shutil.copytree(APPS / "seeds", tree, ignore=shutil.ignore_patterns("__pycache__"))
    service = Service(folder=".", runtime="python", health="/ping", openapi="/openapi.json", tests="tests",
                      databases=["seeds.db"], start=["{python}", "-m", "uvicorn", "seeds:app"])
    data = tmp_path / "data"
    data.mkdir()
    place = Stand(tree, data, app_python(), "seeds:app", env={"SEEDS_DB": str(data / "seeds.db")}, service=service)
    with running(place) as subject:
        findings, failed = look_all(subject, ["hostile_values"])
    assert not failed
    assert {(each.cause, each.place) for each in findings} == {
        ("bad-value", "backend/seeds season"), ("bad-value", "backend/sown day"),
        ("missing-lookup", "backend/label name"), ("null-in-body", "backend/order note")}
    config = Config(services={"backend": service})
    last_first = sorted(findings, key=lambda each: -each.details["line"])  # each names the line as it was
    mended = [each for each in last_first if isinstance(AUTHORS["recipes"].write(each, tree, config), Draft)]
    assert len(mended) == len(findings)
    with running(place) as subject:
        url = subject.copy.urls["backend"]
        assert all(replay(each.probe, url, data).passed for each in mended)
        assert (get(url + "/seeds/leek/label").json(), get(url + "/seeds/no/label").status) == ({"label": "Leek"}, 404)
        assert [get(url + path).status for path in ("/seeds?season=autumn", "/seeds?season=x")] == [200, 422]
    assert pytest_in(tree, tmp_path) == {"passed": 1 + len(mended)}
