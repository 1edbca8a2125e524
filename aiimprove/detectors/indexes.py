"""Indexes that might help a slow statement, each tried on a throwaway clone: only one that was seen to help counts."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from aiimprove.detectors.effort import effort
from aiimprove.detectors.statements import Asked, Sorted, aliases, asked, tokens
from aiimprove.probes.plans import Explained, explain

LEAST_ROWS = 1000
LEAST_GAIN = 0.3
"""The share of the effort that an index must save. It is counted, so that a busy machine finds the same indexes."""
WORTH_A_COLUMN = 0.05
"""What a longer index must save beyond a shorter one, as a share of the effort without any."""
_SCAN = re.compile(r"^SCAN (?:TABLE )?(\w+)(?: AS (\w+))?")


@dataclass(frozen=True)
class Index:
    """`terms` are columns, perhaps with a collation and a direction, as CREATE INDEX takes them."""

    table: str
    terms: tuple[str, ...]

    @property
    def name(self) -> str:
        words = [re.sub(r"\W+", "_", term.replace(" COLLATE ", " ")).strip("_").lower() for term in self.terms]
        return f"{self.table}_by_{'_'.join(words)}"

    @property
    def sql(self) -> str:
        return f"CREATE INDEX IF NOT EXISTS {_quoted(self.name)} ON {_quoted(self.table)} ({', '.join(self.terms)})"


@dataclass(frozen=True)
class Helped:
    """An index with which a statement is clearly less work: what it was before and after. `effort` is what is left."""

    sql: str
    alias: str
    index: Index
    before: Explained
    after: Explained
    effort: float

    @property
    def gained(self) -> float:
        return self.before.milliseconds - self.after.milliseconds


def best(database: Path, sql: str) -> Helped | None:
    """The index that helps this statement most on `database`, a clone; every index tried is dropped again."""
    before, without = explain(database, sql), effort(database, sql)
    found: Helped | None = None
    for alias, index in candidates(database, sql, before):
        helped = _tried(database, sql, alias, index, before)
        if helped is None or not _cured(before, helped.after, alias) or helped.effort > without * (1 - LEAST_GAIN):
            continue
        if found is None or helped.effort < found.effort - WORTH_A_COLUMN * without:
            found = helped
    return found


def _cured(before: Explained, after: Explained, alias: str) -> bool:
    return (before.scans(alias) and not after.scans(alias)) or (before.sorts and not after.sorts)


def candidates(database: Path, sql: str, before: Explained) -> Iterator[tuple[str, Index]]:
    """Indexes on the large tables that the statement reads as a whole, the shortest first."""
    words = tokens(sql)
    names = aliases(words)
    scanned = {match[2] or match[1] for step in before.plan if (match := _SCAN.match(step))}
    with closing(sqlite3.connect(database)) as connection:
        for alias in sorted(scanned & set(names)):
            table = names[alias]
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({_quoted(table)})")}
            if columns and rows(connection, table) >= LEAST_ROWS:
                key = _row_id(connection, table)
                for terms in sorted(set(_term_lists(asked(words, alias, columns), key)), key=lambda t: (len(t), t)):
                    yield alias, Index(table, terms)


def rows(connection: sqlite3.Connection, table: str) -> int:
    """How many rows a table has, counted up to LEAST_ROWS."""
    counted = connection.execute(f"SELECT count(*) FROM (SELECT 1 FROM {_quoted(table)} LIMIT {LEAST_ROWS})")
    return int(counted.fetchone()[0])


def _row_id(connection: sqlite3.Connection, table: str) -> str:
    """The column that is the row id, which every index holds at its end anyway."""
    keys = [row for row in connection.execute(f"PRAGMA table_info({_quoted(table)})") if row[5]]
    return str(keys[0][1]) if len(keys) == 1 and str(keys[0][2]).upper() == "INTEGER" else ""


def _term_lists(wanted: Asked, key: str) -> Iterator[tuple[str, ...]]:
    equal = tuple(_quoted(name) for name in wanted.equal if name != key)
    order = _order_terms(wanted.order, key)
    group = tuple(_quoted(name) for name in wanted.group)
    ranges = [(_quoted(name),) for name in wanted.ranges if name != key]
    starts = [(), equal, *((name,) for name in equal)]
    for start in starts:
        for end in [(), order, group, *ranges]:
            terms = tuple(dict.fromkeys(start + end))
            if 0 < len(terms) <= 4:
                yield terms


def _order_terms(order: tuple[Sorted, ...], key: str) -> tuple[str, ...]:
    """The terms of a sort; an index is read backwards too, so that directions matter only where they differ."""
    kept = order
    if len(order) > 1 and order[-1].column == key and order[-1].descending == order[-2].descending:
        kept = order[:-1]
    mixed = len({term.descending for term in kept}) > 1
    return tuple(_quoted(term.column) + (f" COLLATE {term.collation}" if term.collation else "")
                 + (" DESC" if mixed and term.descending else "") for term in kept)


def _tried(database: Path, sql: str, alias: str, index: Index, before: Explained) -> Helped | None:
    try:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute(index.sql)
        helped = Helped(sql, alias, index, before, explain(database, sql), effort(database, sql))
        with closing(sqlite3.connect(database)) as connection:
            connection.execute(f"DROP INDEX {_quoted(index.name)}")
    except sqlite3.Error:
        return None
    return helped


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) and name.upper() not in _KEYWORDS else f'"{name}"'


_KEYWORDS = {"ORDER", "GROUP", "INDEX", "TABLE", "SELECT", "FROM", "WHERE", "VALUES", "DEFAULT", "TO", "KEY", "ADD",
             "CHECK", "CASE", "WHEN", "END", "ALL", "AND", "OR", "NOT", "IN", "IS", "ON", "AS", "BY", "LIMIT", "UNIQUE",
             "TRANSACTION", "REFERENCES", "PRIMARY", "FOREIGN", "CONSTRAINT", "EXISTS", "JOIN", "SET", "NULL"}
