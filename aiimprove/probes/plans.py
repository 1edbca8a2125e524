"""How SQLite runs a statement: its plan and its time."""

from __future__ import annotations

import re
import sqlite3
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

STATEMENT_SECONDS = 2.0
STATEMENT_RUNS = 7


@dataclass(frozen=True)
class Explained:
    """How SQLite runs a statement: its plan, line by line, and the median time of some runs."""

    plan: tuple[str, ...]
    milliseconds: float

    @property
    def sorts(self) -> bool:
        return any("TEMP B-TREE" in step for step in self.plan)

    def scans(self, table: str) -> bool:
        """Whether rows of the table (or alias) are read until enough are found, at worst all: no index finds them."""
        bare = re.compile(rf"SCAN (TABLE )?{re.escape(table)}( AS \w+)?( USING (COVERING )?INDEX .*)?$")
        return bool(table) and any(bare.match(step) for step in self.plan)


def explain(database: Path, sql: str) -> Explained:
    """Plan and median milliseconds of a SELECT on a database opened read-only. Raises sqlite3.Error.

    A statement that takes longer than STATEMENT_SECONDS is cut there and counts as that long.
    """
    connection = sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True)
    try:
        plan = tuple(str(row[3]) for row in connection.execute("EXPLAIN QUERY PLAN " + sql))
        timings = [_timed(connection, sql)]
        while len(timings) < STATEMENT_RUNS and sum(timings) < STATEMENT_SECONDS * 1000:
            timings.append(_timed(connection, sql))
        return Explained(plan, statistics.median(timings))
    finally:
        connection.close()


def _timed(connection: sqlite3.Connection, sql: str) -> float:
    started = time.perf_counter()
    run_through(connection, sql, lambda: time.perf_counter() - started > STATEMENT_SECONDS, 10_000)
    return (time.perf_counter() - started) * 1000


def run_through(connection: sqlite3.Connection, sql: str, cut: Callable[[], bool], every: int) -> None:
    """Reads every row of a SELECT, until `cut`, which is asked after each `every` steps of SQLite. Raises
    sqlite3.Error."""
    connection.set_progress_handler(cut, every)
    try:
        for _ in connection.execute(sql):
            pass
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
