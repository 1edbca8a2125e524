"""The bounded store of recorded requests: a count for each hour and shape, and the latest few examples of each."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from aiimprove.recording.request import Recorded, Traffic
from aiimprove.settings import Recorder

SHAPES = 1000
_HOUR, _DAY = 3600.0, 86400.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS met (shape TEXT, hour INTEGER, count REAL, PRIMARY KEY (shape, hour)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS example (id INTEGER PRIMARY KEY, shape TEXT, at REAL, bytes INTEGER, body TEXT);
CREATE INDEX IF NOT EXISTS example_by_shape ON example (shape, id);
"""


class Kept:
    """`file` is made when it is not there, for our eyes only. Raises sqlite3.Error."""

    def __init__(self, file: Path, limits: Recorder) -> None:
        self._file, self._limits = file, limits
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))

    def add(self, requests: Iterable[Recorded], now: float | None = None) -> int:
        """Counts each and keeps it as an example; how many they were."""
        rows = list(requests)
        with closing(self._open()) as connection, connection:
            for each in rows:
                connection.execute("INSERT INTO met VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + "
                                   "excluded.count", (each.shape, int(each.at // _HOUR), 100.0 / each.share))
                body = json.dumps(asdict(each))
                connection.execute("INSERT INTO example (shape, at, bytes, body) VALUES (?, ?, ?, ?)",
                                   (each.shape, each.at, len(body), body))
            self._forget(connection, time.time() if now is None else now)
        return len(rows)

    def forget(self, now: float) -> None:
        """Removes what is too old and what is too much."""
        with closing(self._open()) as connection, connection:
            self._forget(connection, now)

    def recent(self, now: float) -> Traffic:
        with closing(self._open()) as connection:
            met = connection.execute("SELECT shape, sum(count) FROM met WHERE hour BETWEEN ? AND ? GROUP BY shape",
                                     (int((now - _DAY) // _HOUR), int(now // _HOUR) + 1)).fetchall()
            rows = connection.execute("SELECT body FROM example ORDER BY id").fetchall()
        return Traffic(dict(met), tuple(Recorded(**json.loads(body)) for body, in rows))

    def _forget(self, connection: sqlite3.Connection, now: float) -> None:
        """A clock that ran ahead is no reason to keep anything for ever."""
        oldest, limits = now - self._limits.hours * _HOUR, self._limits
        connection.execute("DELETE FROM example WHERE at NOT BETWEEN ? AND ?", (oldest, now + _DAY))
        connection.execute("DELETE FROM met WHERE hour NOT BETWEEN ? AND ?",
                           (int(min(oldest, now - _DAY) // _HOUR), int((now + _DAY) // _HOUR)))
        connection.execute("DELETE FROM met WHERE shape NOT IN (SELECT shape FROM met GROUP BY shape "
                           "ORDER BY max(hour) DESC, sum(count) DESC LIMIT ?)", (SHAPES,))
        connection.execute(
            "DELETE FROM example WHERE shape NOT IN (SELECT shape FROM met) OR id IN (SELECT id FROM (SELECT id, "
            "row_number() OVER (PARTITION BY shape ORDER BY id DESC) AS place FROM example) WHERE place > ?)",
            (limits.examples,))
        connection.execute(
            "DELETE FROM example WHERE id IN (SELECT id FROM (SELECT id, sum(bytes) OVER (ORDER BY id DESC) AS total "
            "FROM example) WHERE total > ?)", (round(limits.megabytes * 1_000_000),))

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=30.0)
        connection.execute("PRAGMA auto_vacuum = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.executescript(_SCHEMA)
        return connection
