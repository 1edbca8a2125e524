"""The audit trail: events in their order, each chained to the one before it."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain as chain_up
from pathlib import Path

from aiimprove.event import GENESIS, Event, chain, first_break
from aiimprove.finding import Json
from aiimprove.store.archive import FOLDER, Archive, Row, stored
from aiimprove.store.opening import open_database

FORGOTTEN = "events_forgotten"
"""The fact that names the last event that is kept nowhere any more, and its hash."""


class Trail:
    """An open state.db with its transactions and its events. `fences` are asked before anything is written."""

    def __init__(self, file: Path, *, may_migrate: bool = False) -> None:
        self.file = file
        self.fences: list[Callable[[sqlite3.Connection], None]] = []
        self.connection = open_database(file, may_migrate)
        self.archive = Archive(file.parent / FOLDER)

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One short write transaction; nothing of it stays when the block raises."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            for fence in self.fences:
                fence(self.connection)
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:  # a full disk may have ended it already
                self.connection.execute("ROLLBACK")
            raise

    def append(self, event: Event) -> str:
        """Write an event on top of the chain and return its hash; inside a transaction where one is open."""
        event = replace(event, at=time.time())
        if not self.connection.in_transaction:
            with self.transaction():
                return self._append(event)
        return self._append(event)

    def _append(self, event: Event) -> str:
        before = self.head()
        found = chain(before, event)
        self.connection.execute(
            "INSERT INTO events (at, name, subject, version, performer, body, before, hash) VALUES (?,?,?,?,?,?,?,?)",
            (event.at, event.name, event.subject, event.version, event.performer, json.dumps(event.body), before,
             found))
        logging.getLogger("aiimprove").info("%s %s by=%s %s hash=%s", event.name, event.subject, event.performer,
                                            json.dumps(event.body, ensure_ascii=True), found)
        return found

    def head(self) -> str:
        row = self.connection.execute("SELECT hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        return str(row[0]) if row else GENESIS

    def events(self, subject: str = "", limit: int = -1) -> list[Event]:
        """The events of a subject (all when empty), the oldest first; with a limit, the newest of them."""
        rows = self.connection.execute(
            "SELECT at, name, subject, version, performer, body FROM events WHERE ? IN ('', subject) "
            "ORDER BY seq DESC LIMIT ?", (subject, limit)).fetchall()
        return [_event(row) for row in reversed(rows)]

    def broken_at(self) -> int | None:
        """The number of the first event, packed or not, that was tampered with, or None."""
        self.connection.execute("BEGIN")  # packing goes on beside us: rows and files as of one moment
        try:
            after, start = self._forgotten()
            rows = chain_up(self._packed(after), stored(self.connection))
            return first_break(((row.seq, row.before, row.hash, _said(row)) for row in rows), start)
        finally:
            self.connection.execute("COMMIT")

    def packed(self) -> int:
        """How many events stand in files."""
        first = self.connection.execute("SELECT MIN(seq) FROM events").fetchone()[0]
        files = self.archive.files()
        return max(0, first - int(files[0].name.partition("-")[0])) if files and first else 0

    def _forgotten(self) -> tuple[int, str]:
        """The last event that is kept nowhere any more, and its hash."""
        row = self.connection.execute("SELECT body FROM facts WHERE name = ?", (FORGOTTEN,)).fetchone()
        found = json.loads(row[0]) if row else None
        return (int(found["seq"]), str(found["hash"])) if found else (0, GENESIS)

    def _packed(self, after: int) -> Iterator[Row]:
        first = self.connection.execute("SELECT MIN(seq) FROM events").fetchone()[0]
        return (row for row in self.archive.rows(first or 0) if row.seq > after)


def _event(row: tuple[float, str, str, int, str, str]) -> Event:
    at, name, subject, version, performer, body = row
    return Event(name, subject, performer, _body(body), version, at)


def _said(row: Row) -> Event:
    return Event(row.name, row.subject, row.performer, _body(row.body), row.version, row.at)


def _body(text: str) -> dict[str, Json]:
    """What an event says; one that was overwritten by something else must still be readable to be found."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"unreadable": text}
