"""Statements that read or sort a whole table, and the index that was measured to help."""

from __future__ import annotations

import math
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiimprove.detectors import RECORDED, Subject
from aiimprove.detectors.indexes import Helped, best
from aiimprove.detectors.keeping import clone
from aiimprove.detectors.visit import visit
from aiimprove.finding import Finding, Json, Kind, Probe
from aiimprove.probes.plans import Explained, explain
from aiimprove.probes.recorded import Recorded, shape

SLOW_MS = 1.5
SECONDS = 60.0


@dataclass(frozen=True)
class Statement:
    """A statement that the app sent, with its values; `path` is the request that made it, empty when unknown."""

    database: Path
    sql: str
    path: str


class SlowSql:
    """One finding for each index that would help. Asks the reading routes of the copy; leaves its data alone."""

    name = "slow_sql"

    def look(self, subject: Subject) -> Iterator[Finding]:
        slow = [(statement, seen) for statement in _driven(subject)
                if (seen := _explained(statement)) and seen.milliseconds >= SLOW_MS and _wasteful(seen)]
        for database in dict.fromkeys(statement.database for statement, _ in slow):
            file = str(database.relative_to(subject.copy.data))
            same = [row for row in slow if row[0].database == database]
            yield from _findings(_owner(subject, file), file, database, same)


def _driven(subject: Subject) -> list[Statement]:
    """The distinct statements that are sent while the reading routes and pages of all services are asked."""
    reader = Recorded(subject.copy.data / RECORDED)
    found = [(statement, "") for statement in reader.examples()]
    for name in subject.copy.urls:
        with visit(subject, name) as each:
            found += [(statement, "") for statement in reader.examples()]
            for request in each.tour():
                request.send(each.line)
                found += [(statement, request.path) for statement in reader.examples()]
    distinct: dict[tuple[str, str], Statement] = {}
    for (database, sql), path in found:
        file, key = _below(subject.copy.data, Path(database)), (database, shape(sql))
        if file and not (key in distinct and (distinct[key].path or not path)):
            distinct[key] = Statement(file, sql, path)
    return list(distinct.values())


def _owner(subject: Subject, file: str) -> str:
    """The service whose database it is: the one that names it, else the first that is written in Python."""
    services = subject.config.services
    naming = [name for name, service in services.items() if file in service.databases]
    return (naming or [name for name, service in services.items() if service.runtime == "python"])[0]


def _below(data: Path, recorded: Path) -> Path | None:
    """The recorded database in the data folder of the copy, which its box may have called otherwise."""
    if recorded.is_relative_to(data):
        return recorded if recorded.is_file() else None
    same = sorted(path for path in data.rglob(recorded.name) if path.is_file()) if recorded.name else []
    return same[0] if len(same) == 1 else None


def _explained(statement: Statement) -> Explained | None:
    try:
        return explain(statement.database, statement.sql)
    except (sqlite3.Error, sqlite3.Warning):
        return None  # it needs a function of the app, or more than one statement


def _wasteful(seen: Explained) -> bool:
    return seen.sorts or any(step.startswith("SCAN") for step in seen.plan)


def _findings(name: str, file: str, database: Path, slow: list[tuple[Statement, Explained]]) -> Iterator[Finding]:
    helped: dict[str, list[tuple[Statement, Helped]]] = {}
    ends = time.monotonic() + SECONDS
    with tempfile.TemporaryDirectory(prefix="aiimprove-index-") as folder:
        trial = Path(folder) / database.name
        clone(database, trial)
        for statement, _ in sorted(slow, key=lambda row: -row[1].milliseconds):
            if time.monotonic() < ends and (found := best(trial, statement.sql)):
                helped.setdefault(found.index.sql, []).append((statement, found))
    for rows in _without_prefixes(helped):
        yield _finding(name, file, rows)


def _without_prefixes(helped: Mapping[str, list[tuple[Statement, Helped]]]) -> Iterator[list[tuple[Statement, Helped]]]:
    """What each index helped; an index that another one begins with is not needed beside it."""
    indexes = [rows[0][1].index for rows in helped.values()]
    for rows in helped.values():
        own = rows[0][1].index
        longer = [each for each in indexes if each.table == own.table and len(each.terms) > len(own.terms)
                  and each.terms[:len(own.terms)] == own.terms]
        if not longer:
            yield rows


def _finding(name: str, database: str, rows: list[tuple[Statement, Helped]]) -> Finding:
    statement, helped = max(rows, key=lambda row: row[1].gained)
    before, after, index = helped.before, helped.after, helped.index
    columns = ", ".join(index.terms)
    asked_by = f" for {statement.path}" if statement.path else ""
    expect: dict[str, Json] = {}
    if before.scans(helped.alias) and not after.scans(helped.alias):
        expect["no_scan_of"] = helped.alias
    if before.sorts and not after.sorts:
        expect["no_temp_btree"] = True
    return Finding(
        "slow_sql", Kind.PERFORMANCE, "missing-index", f"{name}/{Path(database).name}:{index.table}({columns})",
        f"Index {index.table} by {columns}: {_milliseconds(before)} become {_milliseconds(after)}",
        f"A statement{asked_by} reads or sorts all of {index.table} and takes {_milliseconds(before)}. "
        f"With an index on {columns} it took {_milliseconds(after)} on a copy of the data.",
        Probe("query-plan", name, {"database": database, "sql": statement.sql}, expect),
        _impact(rows), _details(name, database, statement, helped, rows))


def _milliseconds(seen: Explained) -> str:
    return f"{seen.milliseconds:.1f} ms" if seen.milliseconds >= 0.1 else "less than 0.1 ms"


def _impact(rows: Iterable[tuple[Statement, Helped]]) -> float:
    return round(min(85.0, 12 * math.log2(1 + sum(helped.gained for _, helped in rows) / 2)), 1)


def _details(name: str, database: str, statement: Statement, helped: Helped,
             rows: list[tuple[Statement, Helped]]) -> Mapping[str, Json]:
    return {
        "service": name, "database": database, "sql": statement.sql, "path": statement.path,
        "table": helped.index.table, "columns": list(helped.index.terms), "index": helped.index.name,
        "index_sql": helped.index.sql, "before_ms": round(helped.before.milliseconds, 3),
        "after_ms": round(helped.after.milliseconds, 3), "plan_before": list(helped.before.plan),
        "plan_after": list(helped.after.plan),
        "also": [shape(other.sql) for other, _ in rows if other is not statement],
    }
