"""When state.db holds more events than the config allows, the older half of them goes into a file."""

from __future__ import annotations

import json

from aiimprove.event import Event
from aiimprove.store.archive import last_row, stored
from aiimprove.store.migrations import EVENTS_ARE_KEPT
from aiimprove.store.trail import FORGOTTEN, Trail


def pack(trail: Trail, most: int) -> int:
    """Pack all but the newest `most` / 2 events once there are more than `most`; how many were packed.

    A crash at any moment loses and doubles nothing: the file is whole before a row goes, and rows go in one
    transaction, in which the file begins to count; somebody who slept since finds that the rows are gone already.
    Raises OSError when the disk is full; then everything stays where it was.
    """
    first, count = trail.connection.execute("SELECT MIN(seq), COUNT(*) FROM events").fetchone()
    if count <= most:
        return 0
    last = first + count - most // 2 - 1
    draft = trail.archive.draft(stored(trail.connection, last))
    try:
        with trail.transaction() as connection:
            if connection.execute("SELECT MIN(seq) FROM events").fetchone()[0] != first:
                return 0
            trail.archive.accept(draft, first, last)
            connection.execute("DROP TRIGGER events_are_kept")
            connection.execute("DELETE FROM events WHERE seq <= ?", (last,))
            connection.execute(EVENTS_ARE_KEPT)
            return int(last - first + 1)
    finally:
        draft.unlink(missing_ok=True)


def forget(trail: Trail, most_bytes: int, performer: str) -> int:
    """Remove the oldest files beyond `most_bytes`, never the newest; how many events went. From where the chain is
    kept is an event itself, and what `audit --verify` begins with."""
    files = trail.archive.files()
    gone = 0
    while len(files) > 1 and sum(file.stat().st_size for file in files) > most_bytes:
        oldest = files.pop(0)
        last = last_row(oldest)
        with trail.transaction() as connection:
            connection.execute("INSERT INTO facts VALUES (?,?) ON CONFLICT (name) DO UPDATE SET body=excluded.body",
                               (FORGOTTEN, json.dumps({"seq": last.seq, "hash": last.hash})))
            trail.append(Event("events.forgotten", oldest.name, performer, {"up_to": last.seq, "hash": last.hash}))
        oldest.unlink()
        gone += 1
    return gone
