"""A changed schema only adds, locks the database for a moment at most, and the live version can live with it."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from aiimprove.checks.smoke import answers
from aiimprove.errors import MigrationFailed, NotHealthy
from aiimprove.evidence import Check, Measurement, Verdict
from aiimprove.proving import Stand, migrate, running_copy
from aiimprove.snapshot import clone, contract_breaks, definitions, rows, schema

NAME = "migration"
LOOK_SECONDS = 0.002


def run(stand: Stand) -> Check:
    changed = [path for path in _databases(stand) if _differs(stand, path)]
    files = [change.path for change in stand.case.changes if _is_migration(stand, change.path)]
    if not changed and not files:
        return Check(NAME, Verdict.PASSED, "the databases stay as they are")
    broken = [said for path in changed for said in _broken(stand, path)]
    if broken:
        return Check(NAME, Verdict.FAILED, "the live version could not work on: " + "; ".join(broken))
    return _rehearsed(stand)


def _rehearsed(stand: Stand) -> Check:
    """The candidate's migration on a clone that is in use, then the live version on what came of it."""
    case, work = stand.case, stand.case.work / "migration"
    data = work / "rehearsal"
    clone(case.config, stand.data, data)
    migrate(case.config, case.baseline, data, work, case.box)
    counted = _counted(stand, data)
    with _Writers([data / path for path in _databases(stand) if (data / path).exists()]) as writers:
        try:
            migrate(case.config, case.candidate, data, work, case.box)
        except MigrationFailed as failed:
            return Check(NAME, Verdict.FAILED, str(failed))
    locked, most = writers.longest * 1000, case.config.deploy.migration_lock_ms
    measured = (Measurement("longest lock", None, round(locked, 1), "ms"),)
    if locked > most:
        return Check(NAME, Verdict.FAILED, f"the database is locked for {locked:.0f} ms, {most:.0f} are allowed",
                     measured)
    wrong = "; ".join(_lost(counted, _counted(stand, data))) or _old_version(stand, data)
    if wrong:
        return Check(NAME, Verdict.FAILED, f"the live version cannot go on with the data: {wrong}", measured)
    return Check(NAME, Verdict.PASSED, f"it only adds, locks for {locked:.0f} ms, and the live version works on it",
                 measured)


def _old_version(stand: Stand, data: Path) -> str:
    case = stand.case
    try:
        with running_copy(case.config, case.baseline, data, case.work / "migration" / "old", case.box,
                          migrated=True) as copy:
            return "; ".join(answers(copy, case.config))
    except NotHealthy as failed:
        return str(failed)


def _databases(stand: Stand) -> Iterator[str]:
    yield from dict.fromkeys(path for service in stand.case.config.services.values() for path in service.databases)


def _is_migration(stand: Stand, path: str) -> bool:
    folders = [f"{service.folder}/{service.migrations}/" for service in stand.case.config.services.values()
               if service.migrations]
    return any(path.startswith(folder.removeprefix("./")) for folder in folders)


def _differs(stand: Stand, path: str) -> bool:
    before, after = stand.baseline.data / path, stand.candidate.data / path
    if not before.exists() or not after.exists():
        return before.exists() or after.exists()
    return definitions(before) != definitions(after)


def _broken(stand: Stand, path: str) -> list[str]:
    before, after = stand.baseline.data / path, stand.candidate.data / path
    return contract_breaks(schema(before), schema(after)) if before.exists() and after.exists() else []


def _counted(stand: Stand, data: Path) -> dict[str, int]:
    found = {path: rows(data / path) for path in _databases(stand) if (data / path).exists()}
    return {f"{path} {table}": count for path, tables in found.items() for table, count in tables.items()}


def _lost(before: dict[str, int], after: dict[str, int]) -> Iterator[str]:
    yield from (f"{table} has {after.get(table, 0)} of {count} rows" for table, count in before.items()
                if after.get(table, 0) < count)


class _Writers:
    """Asks each database for its write lock all the time, and remembers how long it had to wait at most."""

    def __init__(self, databases: list[Path]) -> None:
        self.longest = 0.0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(path,), daemon=True) for path in databases]

    def __enter__(self) -> _Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, database: Path) -> None:
        with closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as connection:
            since = time.monotonic()
            while not self._stop.wait(LOOK_SECONDS):
                if _lockable(connection):
                    since = time.monotonic()
                self.longest = max(self.longest, time.monotonic() - since)


def _lockable(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    connection.execute("ROLLBACK")
    return True
