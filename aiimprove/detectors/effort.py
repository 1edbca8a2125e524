"""How much work SQLite has with a statement, counted and not timed: the same on a busy machine and an idle one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from aiimprove.probes.plans import run_through

EVERY = 100
MOST = 50_000_000
"""Steps after which a statement is cut: about a second."""
A_SEEK = 12.0
"""What finding a row in another tree costs, in steps: about 0.2 µs against 0.017 µs, measured on a table of 9,000 rows
in memory; from a disk it is more."""
_SEEKS = frozenset({"DeferredSeek", "SeekRowid", "NotExists", "SeekGE", "SeekGT", "SeekLE", "SeekLT"})
_LOOPS = frozenset({"Next", "Prev", "VNext", "SorterNext"})


def effort(database: Path, sql: str) -> float:
    """Steps of SQLite's virtual machine for a SELECT on a database opened read-only, look-ups in other trees counted
    as A_SEEK each. Raises sqlite3.Error."""
    with closing(sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True)) as connection:
        program = [(int(row[0]), str(row[1]), int(row[3])) for row in connection.execute("EXPLAIN " + sql)]
        return _steps(connection, sql) * (1 + A_SEEK * _seeks_in_a_step(program))


def _steps(connection: sqlite3.Connection, sql: str) -> int:
    counted = 0

    def count() -> bool:
        nonlocal counted
        counted += EVERY
        return counted >= MOST

    run_through(connection, sql, count, EVERY)
    return counted


def _seeks_in_a_step(program: Sequence[tuple[int, str, int]]) -> float:
    """The share of look-ups in the loop that has most of them; rows are (address, operation, where a loop begins)."""
    shares = [0.0]
    for end, operation, begin in program:
        if operation in _LOOPS and begin < end:
            within = [each for at, each, _ in program if begin <= at < end]
            shares.append(sum(each in _SEEKS for each in within) / (len(within) + 1))
    return max(shares)
