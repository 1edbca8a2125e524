"""Running a release's migrations: on a clone first, to see what they would do to the data and to those who write."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from aiimprove import process, vault
from aiimprove.config import read_env_file
from aiimprove.errors import MachineFailed, MigrationFailed
from aiimprove.launch import Place, as_released, launch
from aiimprove.ledger import Loss, losses
from aiimprove.release import Release
from aiimprove.sandbox import Box, boxed
from aiimprove.settings import Config
from aiimprove.snapshot import clone, contract_breaks, definitions, rows, schema

_LOOK_SECONDS = 0.002
_MACHINE = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT), os.strerror(errno.ENOMEM), "disk is full",
            "disk I/O error", "database is locked", "MemoryError")
"""What a program says when the machine failed it."""


@dataclass(frozen=True)
class Rehearsal:
    """What migrations did to a clone. `pending`: they changed anything. `breaks`: what the release that serves would
    trip over, rows that are gone included. `changed`: rows that hold something else now. `lock_ms`: the longest time
    in which nobody else could write, in milliseconds."""

    pending: bool
    breaks: tuple[str, ...]
    changed: tuple[Loss, ...]
    lock_ms: float


def databases(config: Config) -> list[str]:
    """The configured SQLite files, as paths below a data folder."""
    return list(dict.fromkeys(path for service in config.services.values() for path in service.databases))


def rehearse(config: Config, release: Release, source: Path, work: Path, box: Box, *,
             serving: Release | None = None, nice: int = 0) -> Rehearsal:
    """Run a release's migrations on a clone of `source`, with a writer beside them; `work` is emptied before and after.

    With `serving` that release's own migrations come first, for data that may be empty. Raises MigrationFailed,
    MachineFailed.
    """
    shutil.rmtree(work, ignore_errors=True)
    data, before = work / "data", work / "before"
    try:
        clone(config, source, data)
        if serving is not None:
            migrate(config, serving, data, box, nice)
        clone(config, data, before)
        with _Writers([data / name for name in databases(config) if (data / name).exists()]) as writers:
            migrate(config, release, data, box, nice)
        return _compared(config, before, data, writers.longest_ms)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def migrate(config: Config, release: Release, data: Path, box: Box | None, nice: int = 0) -> None:
    """Run every service's migrate command on a data folder; in the box unless it is the approved one on live.

    Raises MigrationFailed when the release is to blame, MachineFailed when the machine is; what the migration had
    open is rolled back by SQLite.
    """
    for name, service in as_released(config, release).services.items():
        if not service.migrate:
            continue
        env = vault.live_env(config, release) if box is None else read_env_file(config.env_file.dev)
        started = launch(config, release, name, Place({}, data, env, role="dev" if box else "live"), service.migrate)
        argv, environment = (list(started.argv), dict(started.env)) if box is None else boxed(
            box, started, writable=[data], network="loopback")
        done = process.run(argv, cwd=started.cwd, env=environment, deadline=config.deploy.migration_seconds, nice=nice,
                           die_with_parent=True)
        _must_have_worked(config, name, done)


def _must_have_worked(config: Config, name: str, done: process.Finished) -> None:
    if done.timed_out:
        raise MigrationFailed(f"the migrations of {name} took longer than {config.deploy.migration_seconds:g} seconds "
                              "and were ended; SQLite undoes what they had begun")
    if done.exit_code:
        said = (done.errors or done.output).strip()[-800:]
        blamed = MachineFailed if any(word in said for word in _MACHINE) else MigrationFailed
        raise blamed(f"the migrations of {name} failed: {said}")


def _compared(config: Config, before: Path, after: Path, lock_ms: float) -> Rehearsal:
    pending, breaks, changed = False, list[str](), list[Loss]()
    for name in databases(config):
        old, new = before / name, after / name
        if not old.exists() or not new.exists():
            pending |= new.exists()
            breaks += [f"{name} is gone"] if old.exists() else []
            continue
        found = losses(old, new)
        pending |= bool(found) or definitions(old) != definitions(new) or rows(old) != rows(new)
        breaks += [*contract_breaks(schema(old), schema(new)), *_gone(found)]
        changed += [loss for loss in found if loss.changed]
    return Rehearsal(pending, tuple(breaks), tuple(changed), lock_ms)


def _gone(found: list[Loss]) -> Iterator[str]:
    yield from (f"{loss.gone} rows of {loss.table} are gone" for loss in found if loss.gone)


class _Writers:
    """Asks each database for its write lock all the time, and remembers for how long nobody could have it."""

    def __init__(self, files: list[Path]) -> None:
        self.longest_ms = 0.0
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(file,), daemon=True) for file in files]

    def __enter__(self) -> _Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, file: Path) -> None:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as connection:
            since: float | None = None
            while not self._done.wait(_LOOK_SECONDS):
                now = time.monotonic()
                if _lockable(connection):
                    since = None
                    continue
                since = since or now
                self.longest_ms = max(self.longest_ms, (now - since) * 1000)


def _lockable(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    return True
