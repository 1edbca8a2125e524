"""Leases: who is at what. A holder that died, or that slept past its time, loses it; a stale holder does nothing more.

The token rises with every new holder (fencing, as in Kleppmann's "How to do distributed locking", 2016): while a
lease is held, every transaction of the store first checks that the token is still ours. Traffic and slots know no
tokens, and a sleeper may hold a file lock or a transaction; so whoever takes a lease first ends those who slept past
theirs (fencing by killing, the STONITH of clusters, which is certain on one machine).
"""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiimprove.errors import Locked, Stale
from aiimprove.process import Identity, stopped_lockers
from aiimprove.store import Store

LEASE_SECONDS = 10.0
_END_SECONDS = 5.0
_LOG = logging.getLogger("aiimprove")


@dataclass(frozen=True)
class Holder:
    """Who holds a lease: the process, since when (unix seconds), and what it said it does."""

    name: str
    token: int
    process: Identity
    since: float
    message: str


def holder(store: Store, name: str) -> Holder | None:
    """The live holder of a lease, or None when nobody holds it, its holder is dead, or its time has run out."""
    row = store.connection.execute("SELECT token, pid, started, boot, until, since, message FROM leases "
                                   "WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None
    found = Holder(name, row[0], Identity(row[1], row[2], row[3]), row[5], row[6])
    return found if row[4] > _clock() and found.process.alive() else None


def end_sleepers(store: Store) -> None:
    """End every process whose lease ran out although it neither died nor gave it back: it was stopped, or could not
    renew it. What it had under way is left as after any crash."""
    end_stopped_writers(store.file)
    rows = store.connection.execute("SELECT pid, started, boot, name, message FROM leases "
                                    "WHERE until > 0 AND until <= ?", (_clock(),)).fetchall()
    for pid, started, boot, name, message in rows:
        sleeper = Identity(pid, started, boot)
        if pid != os.getpid() and sleeper.alive():
            _end(sleeper, f"past its time with {name} ({message})")


def _end(sleeper: Identity, words: str) -> None:
    with suppress(PermissionError):  # another user's: the token keeps it from writing
        sleeper.signal(signal.SIGKILL)
        sleeper.wait(_END_SECONDS)
        _LOG.warning("process %s slept %s: it was ended", sleeper.pid, words)


def end_stopped_writers(database: Path) -> None:
    """End every process that was stopped in the middle of a transaction: nobody else could write any more."""
    for sleeper in stopped_lockers(database.with_name(f"{database.name}-shm")):
        _end(sleeper, "in the middle of a transaction")


@contextmanager
def held(store: Store, name: str, message: str) -> Iterator[int]:
    """Hold a lease while the block runs, renewed from a thread. Raises Locked with the holder's name and message."""
    token = _take(store, name, message)
    done = threading.Event()
    renewal = threading.Thread(target=_renew, args=(store, name, token, done), daemon=True)
    renewal.start()
    fence = partial(_check, name=name, token=token)
    store.fences.append(fence)
    try:
        yield token
    finally:
        store.fences.remove(fence)
        done.set()
        renewal.join()
        with suppress(sqlite3.Error):  # a lease that cannot be given back now ends with its holder, or with its time
            store.connection.execute("UPDATE leases SET until = 0 WHERE name = ? AND token = ?", (name, token))


def _take(store: Store, name: str, message: str) -> int:
    me = Identity.of(os.getpid())
    assert me is not None
    end_sleepers(store)
    with store.transaction() as connection:
        other = holder(store, name)
        if other is not None:
            raise Locked(f"{name} is locked by process {other.process.pid} "
                         f"for {time.time() - other.since:.0f} s: {other.message}")
        row = connection.execute("SELECT token FROM leases WHERE name = ?", (name,)).fetchone()
        token = (row[0] if row else 0) + 1
        connection.execute("INSERT OR REPLACE INTO leases VALUES (?,?,?,?,?,?,?,?)",
                           (name, token, me.pid, me.started, me.boot, _clock() + LEASE_SECONDS, time.time(), message))
    return token


def _renew(store: Store, name: str, token: int, done: threading.Event) -> None:
    """Goes on after a failure: the disk may have room again, or the database be free, before our time is over."""
    with closing(sqlite3.connect(store.file, isolation_level=None, timeout=LEASE_SECONDS / 4)) as connection:
        while not done.wait(LEASE_SECONDS / 4):
            with suppress(sqlite3.Error):
                connection.execute("UPDATE leases SET until = ? WHERE name = ? AND token = ?",
                                   (_clock() + LEASE_SECONDS, name, token))


def _check(connection: sqlite3.Connection, name: str, token: int) -> None:
    row = connection.execute("SELECT token FROM leases WHERE name = ?", (name,)).fetchone()
    if row is None or row[0] != token:
        raise Stale(f"{name} was taken over by another process meanwhile: nothing was changed")


def _clock() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
