"""The next migration in the folder's own style, tried before it is written; and folders that are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiimprove.finding import Finding, Kind, Probe
from aiimprove.recipes import Declined, Draft
from aiimprove.recipes.index_migration import IndexMigration
from aiimprove.settings import Config, Service

CONFIG = Config(services={"web": Service(folder="srv", migrations="sql", tests="tests")})
TABLE = "CREATE TABLE items (id INTEGER PRIMARY KEY, kind TEXT, price INTEGER);"
SQL = "SELECT id FROM items WHERE kind = 'a FROM b' AND price > 3 ORDER BY price"


def finding(**details: object) -> Finding:
    known = {"service": "web", "table": "items", "columns": ["kind", "price"], "index": "items_by_kind_price",
             "sql": SQL,
             "index_sql": "CREATE INDEX IF NOT EXISTS items_by_kind_price ON items (kind, price)"}
    return Finding("slow_sql", Kind.PERFORMANCE, "missing-index", "web", "t", "s", Probe("query-plan", "web", {}, {}),
                   1.0, {**known, **details})


def write(tree: Path, names: list[str], first: str = TABLE, **details: object) -> Draft | Declined:
    folder = tree / "srv" / "sql"
    folder.mkdir(parents=True)
    for index, name in enumerate(names):
        (folder / name).write_text("SELECT 1;" if index else first)
    return IndexMigration().write(finding(**details), tree, CONFIG)


@pytest.mark.parametrize(("names", "made"), [
    (["0001_start.sql"], "0002_items_by_kind_price.sql"),
    (["001-start.sql", "002-more-of-it.sql"], "003-items-by-kind-price.sql"),
    (["V1__start.sql", "V2__more.sql"], "V3__items_by_kind_price.sql"),
    (["01.start.sql", "02.b.sql", "README.md"], "03.items_by_kind_price.sql"),
])
def test_the_name_follows_the_others(tmp_path: Path, names: list[str], made: str) -> None:
    result = write(tmp_path, names)
    assert isinstance(result, Draft) and result.files == (f"srv/sql/{made}",)
    assert (tmp_path / "srv/sql" / made).read_text() == (
        "CREATE INDEX IF NOT EXISTS items_by_kind_price ON items (kind, price);\n")


def test_the_test_of_the_index_fails_without_it(tmp_path: Path) -> None:
    tests = tmp_path / "srv" / "tests"
    tests.mkdir(parents=True)
    (tests / "test_a.py").write_text("")
    result = write(tmp_path, ["0001_start.sql"])
    assert isinstance(result, Draft)
    path = tests / "test_items_by_kind_price.py"
    space: dict[str, object] = {"__file__": str(path)}
    exec(compile(path.read_text(), str(path), "exec"), space)
    check = space["test_items_by_kind_price_is_used"]
    assert callable(check)
    check()
    (tmp_path / "srv/sql/0002_items_by_kind_price.sql").unlink()
    with pytest.raises(AssertionError):
        check()


@pytest.mark.parametrize(("names", "first", "details", "reason"), [
    ([], TABLE, {}, "no folder of numbered SQL"),
    (["0001_start.sql", "0002_more.py"], TABLE, {}, "no folder of numbered SQL"),
    (["0001_start.sql", "2-more.sql"], TABLE, {}, "no folder of numbered SQL"),
    (["0001_a.up.sql", "0001_a.down.sql"], TABLE, {}, "no folder of numbered SQL"),
    (["20260102030405_start.sql"], TABLE, {}, "numbered by date"),
    (["9_start.sql"], TABLE, {}, "do not sort"),
    (["0001_start.sql"], "ALTER TABLE old ADD COLUMN x;", {}, "cannot be tried"),
    (["0001_start.sql"], TABLE, {"sql": "SELECT * FROM items WHERE price + 1 = 3"}, "does not use the index"),
])
def test_unknown_styles_and_useless_indexes_are_declined(
        tmp_path: Path, names: list[str], first: str, details: dict[str, object], reason: str) -> None:
    result = write(tmp_path, names, first, **details)
    assert isinstance(result, Declined) and reason in result.reason
    assert sorted(path.name for path in (tmp_path / "srv/sql").iterdir()) == sorted(names)
