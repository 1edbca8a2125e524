"""What became of the rows of a database: which are gone, and which hold something else now.

Rows are told apart by the primary key, else by rowid, and compared in the columns that both schemas have. SQLite does
the work (both files attached to one connection), so that the rows never pass through us.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

GONE = ""
Mask = frozenset[tuple[str, str]]
"""Pairs of table and column whose changes count for nothing; the column GONE stands for rows that vanish."""


@dataclass(frozen=True)
class Loss:
    """One table of the first database: how many of its rows are gone from the second, how many hold something else
    there, and in which columns."""

    table: str
    gone: int
    changed: int
    columns: tuple[str, ...]

    @property
    def rows(self) -> int:
        return self.gone + self.changed

    def __str__(self) -> str:
        changed = f"{self.changed} changed ({', '.join(self.columns)})" if self.changed else ""
        return f"{self.table}: " + ", ".join(filter(None, (f"{self.gone} gone" if self.gone else "", changed)))


def losses(before: Path, after: Path, ignored: Mask = frozenset()) -> list[Loss]:
    """What a reader of `before` would miss in `after`, by table; rows that only `after` has are no loss.

    Both files must be at rest, for example copies. Raises sqlite3.Error when one cannot be read.
    """
    with closing(sqlite3.connect(":memory:")) as connection:
        for name, file in (("before", before), ("after", after)):
            connection.execute(f"ATTACH ? AS {name}", (str(file),))
        known = _tables(connection, "after")
        return [loss for table in _tables(connection, "before")
                if (loss := _loss(connection, table, table in known, ignored)).rows]


def mask(found: Iterable[Loss]) -> Mask:
    """What these losses would have to be ignored by: what an app changes in its daily work."""
    return frozenset((loss.table, column) for loss in found
                     for column in (*loss.columns, *([GONE] if loss.gone else [])))


def rows_lost(found: Collection[Loss]) -> int:
    return sum(loss.rows for loss in found)


def _loss(connection: sqlite3.Connection, table: str, known: bool, ignored: Mask) -> Loss:
    if not known:
        count = connection.execute(f"SELECT count(*) FROM before.{_quoted(table)}").fetchone()[0]
        return Loss(table, count, 0, ())
    old, new = _columns(connection, "before", table), _columns(connection, "after", table)
    match = " AND ".join(f"a.{name} IS b.{name}" for name in _key(old, new))
    name = _quoted(table)
    gone = 0 if (table, GONE) in ignored else connection.execute(
        f"SELECT count(*) FROM before.{name} b WHERE NOT EXISTS (SELECT 1 FROM after.{name} a WHERE {match})"
    ).fetchone()[0]
    shared = [column for column in old if column in new and (table, column) not in ignored]
    counts = _changed(connection, name, match, shared)
    differ = tuple(column for column, count in zip(shared, counts[1:], strict=False) if count)
    return Loss(table, gone, counts[0], differ)


def _changed(connection: sqlite3.Connection, name: str, match: str, shared: list[str]) -> list[int]:
    """How many rows differ at all, then in each of the shared columns."""
    if not shared:
        return [0]
    differ = [f"(a.{_quoted(column)} IS NOT b.{_quoted(column)})" for column in shared]
    sums = ", ".join(f"total({each})" for each in (" OR ".join(differ), *differ))
    found = connection.execute(f"SELECT {sums} FROM before.{name} b JOIN after.{name} a ON {match}").fetchone()
    return [int(each) for each in found]


def _key(old: Mapping[str, int], new: Mapping[str, int]) -> list[str]:
    """The primary key that both have, else the rowid."""
    named = [column for column, place in old.items() if place]
    same = named and all(column in new for column in named)
    return [_quoted(column) for column in named] if same else ["rowid"]


def _columns(connection: sqlite3.Connection, database: str, table: str) -> dict[str, int]:
    """Column and its place in the primary key; generated ones are left out."""
    return {row[1]: row[5] for row in connection.execute(f"PRAGMA {database}.table_info({_quoted(table)})")}


def _tables(connection: sqlite3.Connection, database: str) -> list[str]:
    """Ordinary tables; of what a virtual table is made of only its content, for the rest is an index."""
    listed = connection.execute(f"SELECT name, sql FROM {database}.sqlite_master WHERE type = 'table' ORDER BY name")
    found = {name: str(sql).upper().startswith("CREATE VIRTUAL") for name, sql in listed}
    parts = tuple(f"{name}_" for name, virtual in found.items() if virtual)
    return [name for name, virtual in found.items() if not virtual and not name.startswith("sqlite_")
            and (not name.startswith(parts) or name.endswith("_content"))]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
