"""What detectors make their probes from: tracebacks, statements, borders, the OpenAPI document and sample values."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from aiimprove.detectors.borders import border, one_sided
from aiimprove.detectors.effort import effort
from aiimprove.detectors.indexes import best
from aiimprove.detectors.ranges import is_limit
from aiimprove.detectors.searched import filled, from_log, templates, whole
from aiimprove.detectors.statements import Sorted, aliases, asked, tokens
from aiimprove.detectors.tracebacks import Crash, crashes
from aiimprove.detectors.values import all_in_words
from aiimprove.openapi import routes
from aiimprove.probes.recorded import shape
from aiimprove.samples import Samples, request
from aiimprove.settings import Service


@pytest.mark.parametrize(("passing", "crashing", "crashes_on", "expected"), [
    (1, 10 ** 20, lambda value: value > 2 ** 63 - 1, 2 ** 63 - 1),
    (1, -10 ** 20, lambda value: value < -2 ** 63, -2 ** 63),
    (1, 2 ** 63, lambda value: (value - 1) * 24 >= 2 ** 63, (2 ** 63 - 1) // 24 + 1),
    (5, -1, lambda value: value <= 0, 1),
    (0, 1, lambda value: value > 0, 0),
    (20, 10 ** 20, lambda value: value > 9999, 9999),
])
def test_a_border_is_the_last_value_that_passes(
        passing: int, crashing: int, crashes_on: Callable[[int], bool], expected: int) -> None:
    asked_values: list[int] = []

    def ask(value: int) -> bool:
        asked_values.append(value)
        return crashes_on(value)

    assert border(passing, crashing, ask) == expected
    assert len(asked_values) < 100


def test_a_hole_in_the_middle_is_no_border() -> None:
    assert one_sided([1, 2, 50], [100, -1])
    assert not one_sided([-1, 1], [0, 100])


UVICORN = '''INFO:     127.0.0.1:5 - "GET /ok HTTP/1.1" 200 OK
INFO:     127.0.0.1:5 - "GET /videos/99?x=1 HTTP/1.1" 500 Internal Server Error
ERROR:    Exception in ASGI application
  + Exception Group Traceback (most recent call last):
  |   File "/venv/lib/python3.11/site-packages/starlette/_utils.py", line 76, in collapse
  |     yield
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/srv/release/app/routes.py", line 7, in one
    |     return find(key)
    |   File "/srv/release/app/store.py", line 3, in find
    |     raise LookupError(key)
    |   File "/usr/lib/python3.11/json/decoder.py", line 1, in decode
    | LookupError: 99
    +------------------------------------
'''
CHAINED = '''Traceback (most recent call last):
  File "/srv/app/store.py", line 3, in find
    raise KeyError(key)
KeyError: 'a'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/app/routes.py", line 9, in two
    raise app.errors.Missing() from error
app.errors.Missing: there is none
Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/foreign.py", line 1, in nothing
ValueError
'''


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "backend" / "app").mkdir(parents=True)
    for name in ("routes.py", "store.py"):
        (tmp_path / "backend" / "app" / name).write_text("")
    return tmp_path


def test_a_group_is_told_by_its_deepest_frame_in_the_app(tree: Path) -> None:
    (crash,) = crashes(UVICORN, tree, "backend")
    assert (crash.signature, crash.line, crash.message) == ("LookupError in app/store.py:find", 3, "99")
    assert (crash.method, crash.path) == ("GET", "/videos/99?x=1")


def test_a_chain_is_told_by_what_came_out_of_it_and_foreign_code_is_not_told(tree: Path) -> None:
    assert [crash.signature for crash in crashes(CHAINED, tree, "backend")] == ["Missing in app/routes.py:two"]


def test_values_do_not_make_a_statement_another_one() -> None:
    one = "SELECT a FROM t WHERE b = 'it''s' AND c IN (1, 2, 3)"
    assert shape(one) == shape("SELECT a  FROM t WHERE b = 'x'\n AND c IN (4,5)") == (
        "SELECT a FROM t WHERE b = ? AND c IN (?)")


def test_what_a_statement_asks_of_a_table() -> None:
    words = tokens('SELECT v."id" FROM videos AS v JOIN tags t ON t.video = v.id WHERE v.kind = \'order by x\' AND '
                   "v.age >= 3 AND t.name = 'a' ORDER BY v.title COLLATE NOCASE DESC, v.id LIMIT 3")
    assert aliases(words) == {"v": "videos", "t": "tags"}
    seen = asked(words, "v", {"id", "kind", "age", "title"})
    assert (seen.equal, seen.ranges) == (("id", "kind"), ("age",))
    assert seen.order == (Sorted("title", "NOCASE", True), Sorted("id", "", False))
    assert asked(words, "t", {"video", "name"}).equal == ("video", "name")


@pytest.mark.parametrize(("sql", "index"), [
    ("SELECT id FROM videos WHERE kind = 'kind7'", "videos_by_kind"),
    ("SELECT v.id FROM videos v ORDER BY v.title COLLATE NOCASE LIMIT 9", "videos_by_title_nocase"),
    ("SELECT id, title FROM videos WHERE kind = 'kind7' ORDER BY added DESC LIMIT 5", "videos_by_kind_added"),
    ("SELECT kind, count(*) FROM videos GROUP BY kind", "videos_by_kind"),
    ("SELECT id FROM videos WHERE title LIKE '%x%'", None),
    ("SELECT id FROM videos WHERE added + 1 = 3", None),
    ("SELECT id FROM few WHERE kind = 'a'", None),
    ("SELECT title FROM videos WHERE added > 5000 ORDER BY added", None),  # most rows would be looked up one by one
])
def test_only_an_index_that_was_seen_to_help_is_named(tmp_path: Path, sql: str, index: str | None) -> None:
    database = tmp_path / "library.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE videos (id INTEGER PRIMARY KEY, kind TEXT, title TEXT, added INTEGER)")
        connection.execute("CREATE TABLE few (id INTEGER PRIMARY KEY, kind TEXT)")
        connection.executemany("INSERT INTO videos (kind, title, added) VALUES (?, ?, ?)",
                               [(f"kind{n % 20}", f"Title {n * 7919 % 9000}", n * 31 % 9000 + 9000 * (n % 20 != 7))
                                for n in range(9000)])
    connection.close()
    assert effort(database, sql) == effort(database, sql), "it is counted, not timed"
    helped = best(database, sql)
    assert (helped.index.name if helped else None) == index
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'index'").fetchone() == (0,)
    connection.close()


DOCUMENT = {
    "paths": {
        "/items/{item_id}": {
            "parameters": [{"$ref": "#/components/parameters/Item"}],
            "delete": {"operationId": "gone"},
            "get": {"parameters": [
                {"name": "sort", "in": "query", "schema": {"type": "string", "pattern": "^(new|old)$"}},
                {"name": "page", "in": "query", "schema": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
                {"name": "category", "in": "query", "required": True, "schema": {"type": ["string", "null"]}}]}},
        "/items": {"post": {"requestBody": {"content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/New"}}}}}}},
    "components": {
        "parameters": {"Item": {"name": "item_id", "in": "path", "required": True, "schema": {"type": "integer"}}},
        "schemas": {"New": {"required": ["name"], "properties": {"name": {"type": "string", "minLength": 3},
                                                                 "size": {"type": "integer"}}}}},
}


def test_routes_are_read_through_references_and_deletes_come_last() -> None:
    found = routes(DOCUMENT)
    assert [route.name for route in found] == ["GET /items/{item_id}", "POST /items", "DELETE /items/{item_id}"]
    kinds = {(each.location, each.name): each.type for each in found[0].parameters}
    assert kinds == {("path", "item_id"): "integer", ("query", "sort"): "string", ("query", "page"): "integer",
                     ("query", "category"): "string"}
    assert routes(None) == [] and routes({"paths": []}) == []


def test_values_come_from_schemas_and_from_the_lists_of_the_app() -> None:
    samples = Samples()
    samples.learn("/items", {"items": [{"id": 41, "name": "a"}, {"id": 42, "name": "b"}]})
    samples.learn("/categories", [{"name": "Böse & Co", "count": 3}])
    one, new, _ = routes(DOCUMENT)
    assert request(one, samples.valid(one)).path == "/items/41?category=B%C3%B6se%20%26%20Co"
    sort = next(each for each in one.parameters if each.name == "sort")
    assert samples.values(one, sort) == ["new", "old"]
    assert request(new, samples.valid(new)).body == '{"name": "a"}'


@pytest.mark.parametrize(("border", "raised", "limit"), [
    (2 ** 63 - 1, None, True), (-2 ** 63, None, True), ((2 ** 63 - 1) // 20 + 1, None, True), (2 ** 31 - 1, None, True),
    (60_000, "AttributeError: no", False), (60_000, "ValueError: no", False), (12, "IndexError: out of range", False),
    (12, "ValueError: month must be in 1..12", True),
    (12, "IllegalMonthError: bad month number 13; must be 1-12", True),
    (12, "ValueError: Sample larger than population", False),
    (1, "TypeError: 'NoneType' object is not subscriptable", False), (1, "ValueError: empty range", True),
    (1, None, False), (9999, "ValueError: year 10000 is out of range", True), (59_999, None, False),
])
def test_a_bound_is_a_limit_only_if_it_is_right_tomorrow_too(border: int, raised: str | None, limit: bool) -> None:
    kind, _, message = (raised or "").partition(": ")
    crash = Crash(kind, message, "a.py:f", 1) if raised else None
    assert is_limit(border, crash) is limit


def test_what_crashes_is_said_in_words() -> None:
    assert all_in_words([("page", 2 ** 63)]) == "a huge page"
    assert all_in_words([("page", 2 ** 63), ("size", 10 ** 20)]) == "a huge page or size"
    assert all_in_words([("page", -1), ("q", ""), ("size", -2 ** 63)]) == "page=-1, an empty q or a very negative size"


def test_searches_are_read_from_the_log_of_live() -> None:
    def row(uri: str, status: int = 200, environment: str = "live") -> str:
        return json.dumps({"status": status, "environment": environment, "request": {"method": "GET", "uri": uri}})

    rows = [row("/find?q=sun%20hat"), row("/find?page=2&q=sun+hat"), row("/find?q=a%40b.org"), row("/find?q=x", 500),
            row("/find?q=dev", 200, "dev"), row("/other?q=y"), row("/find?q="), "no json"]
    assert from_log("\n".join(rows), "/find?lang=en&q={query}") == {"sun hat": 2}
    assert filled("/find?q={query}", "a&b ü") == "/find?q=a%26b%20%C3%BC"


def test_words_on_their_way_to_longer_ones_do_not_count() -> None:
    assert whole([("spa", 3), ("Space", 2), ("spaceship", 1), ("moon", 1), ("MOON", 1)]) == [
        ("spaceship", 1), ("moon", 1), ("MOON", 1)]


def test_a_search_is_told_by_its_parameter_where_the_config_does_not_say() -> None:
    get = {"parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}]}
    needs = {"parameters": [*get["parameters"], {"name": "id", "in": "query", "required": True, "schema": {}}]}
    found = routes({"paths": {"/find": {"get": get, "post": get}, "/more": {"get": needs}}})
    assert templates(Service(), found) == ["/find?q={query}"]
    assert templates(Service(search="/s?x={query}"), found) == ["/s?x={query}"]
