"""Old events, packed into files beside state.db; the chain of those that stay goes on from the last packed one.

A file is events/<first>-<last>.jsonl.gz: one JSON row for each event, as it stood in the database. It is whole on disk
before a row leaves the database. What was packed twice because of a crash counts once, from the database.
"""

from __future__ import annotations

import gzip
import json
import os
import secrets
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from aiimprove.atomic import flush

FOLDER = "events"


class Row(NamedTuple):
    """An event as it stands in the database."""

    seq: int
    at: float
    name: str
    subject: str
    version: int
    performer: str
    body: str
    before: str
    hash: str


COLUMNS = ", ".join(Row._fields)


class Archive:
    """The files of one state folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self) -> list[Path]:
        """The oldest first."""
        return sorted(self.folder.glob("*.jsonl.gz"))

    def rows(self, until: int) -> Iterator[Row]:
        """The packed events before number `until`, in order; ends where a file cannot be read, so that what follows
        does not fit the chain."""
        for file in self.files():
            try:
                with gzip.open(file, "rt", encoding="utf-8") as lines:
                    yield from (row for row in map(_row, lines) if row.seq < until)
            except (OSError, EOFError, ValueError, TypeError, zlib.error):
                return

    def draft(self, rows: Iterable[Row]) -> Path:
        """Rows packed into a file that does not count yet, whole on disk. Raises OSError and leaves nothing."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.folder / f".packing-{secrets.token_hex(4)}"
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
                with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
                    packed.writelines(json.dumps(row).encode() + b"\n" for row in rows)
                raw.flush()
                os.fsync(raw.fileno())
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        return draft

    def accept(self, draft: Path, first: int, last: int) -> Path:
        """Let a draft of the events from `first` to `last` count, in the place of what a crash left of an earlier
        attempt. The caller sees to it that nobody else is at it, and that the database still has them."""
        for file in self.files():
            if int(file.name.partition("-")[0]) >= first:
                file.unlink()
        final = self.folder / f"{first:012d}-{last:012d}.jsonl.gz"
        draft.replace(final)
        flush(self.folder)
        return final


def last_row(file: Path) -> Row:
    """The last event of a file. Raises OSError, ValueError."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return _row(list(lines)[-1])


def stored(connection: sqlite3.Connection, until: int | None = None) -> Iterator[Row]:
    """The events in the database up to a number, in order."""
    rows = connection.execute(f"SELECT {COLUMNS} FROM events WHERE ? IS NULL OR seq <= ? ORDER BY seq", (until, until))
    return (Row(*row) for row in rows)


def _row(line: str) -> Row:
    return Row(*json.loads(line))
