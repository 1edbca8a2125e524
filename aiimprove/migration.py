"""Bringing live's databases up to a release: tried on a clone, backed up and verified, then done; never by a service.

What may run on live is expand-only: the release that serves goes on working on what the new one needs.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from aiimprove import process, vault
from aiimprove.config import read_env_file
from aiimprove.errors import MigrationFailed
from aiimprove.event import Event
from aiimprove.launch import Place, as_released, launch
from aiimprove.release import Release
from aiimprove.sandbox import Box, boxed
from aiimprove.settings import Config
from aiimprove.snapshot import backup, clone, contract_breaks, rows, schema
from aiimprove.workspace import Workspace

SECONDS = 600.0
KEPT_BACKUPS = 5
_PROBE_SECONDS = 0.002


@dataclass(frozen=True)
class Trial:
    """What a release's migrations did to a clone: whether anything changed, what the release that serves would trip
    over, and for how long (milliseconds) nobody else could write."""

    pending: bool
    breaks: tuple[str, ...]
    lock_ms: float


def migrate_live(workspace: Workspace, release: Release, deployment: str) -> Path | None:
    """Migrate the live data for a release, after a verified backup; the backup's folder, None when nothing was due.

    Raises MigrationFailed; live data is then as it was.
    """
    config, data = workspace.config, workspace.data("live")
    if not any(service.migrate for service in config.services.values()):
        data.mkdir(parents=True, exist_ok=True)
        return None
    if not _filled(config, data):
        data.mkdir(parents=True, exist_ok=True)
        migrate(config, release, data, None)
        return None
    found = trial(config, release, data, workspace.work("migration"), workspace.box)
    _must_be_safe(config, found)
    if not found.pending:
        return None
    kept = backup(config, data, config.state_folder / "backups" / deployment)
    workspace.store.append(Event("data.backed_up", deployment, workspace.performer, {
        "folder": str(kept.folder), "bytes": kept.bytes, "lock_ms": round(found.lock_ms, 1)}))
    migrate(config, release, data, None)
    _forget_old(config.state_folder / "backups")
    return kept.folder


def trial(config: Config, release: Release, data: Path, work: Path, box: Box) -> Trial:
    """Run a release's migrations on a clone of `data`, with a writer beside them."""
    shutil.rmtree(work, ignore_errors=True)
    clone(config, data, work)
    files = [work / name for service in config.services.values() for name in service.databases]
    before = {file: (schema(file), rows(file), _definitions(file)) for file in files if file.exists()}
    with _Writer([file for file in files if file.exists()]) as writer:
        migrate(config, release, work, box)
    breaks = [line for file, (old, counts, _) in before.items()
              for line in [*contract_breaks(old, schema(file)), *_lost(counts, rows(file))]]
    pending = any(_definitions(file) != known or rows(file) != counts for file, (_, counts, known) in before.items())
    shutil.rmtree(work, ignore_errors=True)
    return Trial(pending, tuple(breaks), writer.longest_ms)


def migrate(config: Config, release: Release, data: Path, box: Box | None) -> None:
    """Run every service's migrate command on a data folder; in the box unless it is the approved one on live."""
    for name, service in as_released(config, release).services.items():
        if not service.migrate:
            continue
        env = vault.live_env(config, release) if box is None else read_env_file(config.env_file.dev)
        started = launch(config, release, name, Place({}, data, env, live=box is None), service.migrate)
        argv, environment = (list(started.argv), dict(started.env)) if box is None else boxed(
            box, started, writable=[data], network="loopback")
        done = process.run(argv, cwd=started.cwd, env=environment, deadline=SECONDS, die_with_parent=True)
        if done.exit_code:
            raise MigrationFailed(f"the migrations of {name} failed: {(done.errors or done.output).strip()[-800:]}")


def _must_be_safe(config: Config, found: Trial) -> None:
    if found.breaks:
        raise MigrationFailed("the migrations are not expand-only, the release that serves would break: "
                              + "; ".join(found.breaks))
    if found.lock_ms > config.deploy.migration_lock_ms:
        raise MigrationFailed(f"the migrations keep writers out for {found.lock_ms:.0f} ms (measured on a clone; "
                              f"deploy.migration_lock_ms allows {config.deploy.migration_lock_ms:.0f})")


def _lost(before: dict[str, int], after: dict[str, int]) -> list[str]:
    return [f"table {name} has {after.get(name, 0)} of {count} rows" for name, count in before.items()
            if after.get(name, 0) < count]


def _definitions(file: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").fetchall()


def _filled(config: Config, data: Path) -> bool:
    return any((data / name).exists() for service in config.services.values() for name in service.databases)


def _forget_old(folder: Path) -> None:
    for old in sorted(folder.iterdir(), key=lambda each: each.stat().st_mtime)[:-KEPT_BACKUPS]:
        shutil.rmtree(old)


class _Writer:
    """Tries to write all the time and remembers for how long it could not."""

    def __init__(self, files: list[Path]) -> None:
        self.longest_ms = 0.0
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._try, args=(file,)) for file in files]

    def __enter__(self) -> _Writer:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _try(self, file: Path) -> None:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as connection:
            since: float | None = None
            while not self._done.wait(_PROBE_SECONDS):
                now = time.monotonic()
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute("ROLLBACK")
                    since = None
                except sqlite3.OperationalError:
                    since = since or now
                    self.longest_ms = max(self.longest_ms, (now - since) * 1000)
