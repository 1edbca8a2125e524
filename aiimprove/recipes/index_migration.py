"""An index by an expand-only migration, in a folder of numbered plain SQL."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Patch, Unsure, written
from aiimprove.recipes.clients import tests_folder
from aiimprove.recipes.sources import service_of
from aiimprove.settings import Config, Service

_CLAUSES = re.compile(r"('(?:[^']|'')*')|\s+(FROM|WHERE|GROUP BY|ORDER BY|LIMIT|(?:LEFT )?JOIN|AND)\b", re.IGNORECASE)
_NUMBERED = re.compile(r"^(\D*?)(\d+)([_\-.]+)(.+?)(\.(?:up\.)?sql)$")


class IndexMigration:
    """Adds the next migration; tried on an empty database first."""

    name = "index_migration"
    causes = ("missing-index",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service, details = service_of(finding, config), finding.details
    if not service.migrations:
        raise Unsure("the config names no folder of migrations")
    folder = tree / service.folder / service.migrations
    existing = numbered(folder)
    path = folder / _next_name(existing, str(details["index"]))
    script = f"{details['index_sql']};\n"
    names = [each.name for each in (*existing, path)]
    if names != sorted(names):
        raise Unsure("the numbers of the migrations do not sort as text")
    _try(existing, script, details)
    test = _test(tree, service, folder, finding)
    return Patch(f"{details['table']} gets an index on {', '.join(details['columns'])}. Nothing is removed or changed.",
                 {str(path.relative_to(tree)): script} | test)


def numbered(folder: Path) -> list[Path]:
    """The migrations in their order. Raises Unsure when the folder holds anything but numbered plain SQL."""
    files = sorted(path for path in folder.glob("*") if path.is_file() and not path.name.startswith((".", "__"))
                   and path.suffix.lower() not in (".md", ".txt")) if folder.is_dir() else []
    odd = [path.name for path in files if not _NUMBERED.match(path.name)]
    styles = {(match[1], match[3], match[5]) for path in files if (match := _NUMBERED.match(path.name))}
    if not files or odd or len(styles) != 1:
        raise Unsure(f"{folder.name} is no folder of numbered SQL files in one style" + (f" ({odd[0]})" if odd else ""))
    return sorted(files, key=_number)


def _number(path: Path) -> int:
    match = _NUMBERED.match(path.name)
    return int(match[2]) if match else 0


def _next_name(existing: Sequence[Path], index: str) -> str:
    last = _NUMBERED.match(existing[-1].name)
    assert last is not None
    number = str(int(last[2]) + 1).zfill(len(last[2]))
    if len(last[2]) >= 8:
        raise Unsure("the migrations are numbered by date, and today's is not for a recipe to say")
    hyphens = "-" in last[4] and "_" not in last[4]
    return f"{last[1]}{number}{last[3]}{index.replace('_', '-') if hyphens else index}{last[5]}"


def _try(paths: Sequence[Path], script: str, details: object) -> None:
    """Applies every migration to an empty database: they must run by themselves, and the index must be used."""
    assert isinstance(details, dict)
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            for path in paths:
                database.executescript(path.read_text(encoding="utf-8"))
            database.executescript(script)
            plan = " ".join(str(row[3]) for row in database.execute("EXPLAIN QUERY PLAN " + details["sql"]))
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise Unsure(f"the migrations cannot be tried on an empty database: {error}") from error
    if details["index"] not in plan:
        raise Unsure("SQLite does not use the index on an empty database, so that no test can hold it")


def _test(tree: Path, service: Service, folder: Path, finding: Finding) -> dict[str, str]:
    tests = tests_folder(tree, service)
    if tests is None:
        return {}
    up = len(tests.relative_to(tree / service.folder).parts)
    home = folder.relative_to(tree / service.folder)
    details = finding.details
    sql = _wrapped(str(details["sql"]))
    text = f'''import sqlite3
from pathlib import Path

MIGRATIONS = Path(__file__).resolve().parents[{up}] / "{home}"
STATEMENT = """
    {sql}
"""


def test_{details["index"]}_is_used():
    database = sqlite3.connect(":memory:")
    for path in sorted(MIGRATIONS.glob("*.sql")):
        database.executescript(path.read_text(encoding="utf-8"))
    plan = [row[3] for row in database.execute("EXPLAIN QUERY PLAN " + STATEMENT)]
    assert any("{details["index"]}" in step for step in plan), plan
'''
    return {str((tests / f"test_{details['index']}.py").relative_to(tree)): text}


def _wrapped(sql: str) -> str:
    """The statement with a line for each clause, as the inside of a triple-quoted string; literals as they are."""
    lines = _CLAUSES.sub(lambda match: match[1] or f"\n    {match[2]}", sql.strip())
    return lines.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
