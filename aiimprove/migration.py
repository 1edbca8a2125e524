"""Bringing live's databases up to a release: rehearsed on a clone, backed up and verified, then done; never by a
service.

What may run on live is expand-only: the release that serves goes on working on what the new one needs.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from aiimprove import backups
from aiimprove.errors import MachineFailed, MigrationFailed
from aiimprove.event import Event
from aiimprove.rehearsal import Rehearsal, databases, migrate, rehearse
from aiimprove.release import Release
from aiimprove.settings import Config
from aiimprove.workspace import Workspace


def migrate_live(workspace: Workspace, release: Release, deployment: str) -> Path | None:
    """Migrate the live data for a release, after a verified backup; the backup's folder, None when nothing was due.

    Raises MigrationFailed, or MachineFailed when the release is not to blame; live data is then as it was.
    """
    config, data = workspace.config, workspace.data("live")
    data.mkdir(parents=True, exist_ok=True)
    if not any(service.migrate for service in config.services.values()):
        return None
    if not any((data / name).exists() for name in databases(config)):
        migrate(config, release, data, None)
        return None
    try:
        seen = rehearse(config, release, data, workspace.work("migration"), workspace.box)
    except (OSError, sqlite3.Error) as error:
        raise MachineFailed(f"the migrations could not be rehearsed: {error}") from error
    _must_be_safe(config, seen)
    if not seen.pending:
        return None
    kept = backups.make(config, data, deployment, f"before the migrations of release {release.id}")
    workspace.store.append(Event("data.backed_up", deployment, workspace.performer, {
        "folder": str(kept.folder), "bytes": kept.bytes, "lock_ms": round(seen.lock_ms, 1)}))
    migrate(config, release, data, None)
    backups.forget(config)
    return kept.folder


def _must_be_safe(config: Config, seen: Rehearsal) -> None:
    if seen.breaks:
        raise MigrationFailed("the migrations are not expand-only, the release that serves would break: "
                              + "; ".join(seen.breaks))
    if seen.lock_ms > config.deploy.migration_lock_ms:
        raise MigrationFailed(f"the migrations keep writers out for {seen.lock_ms:.0f} ms (measured on a clone; "
                              f"deploy.migration_lock_ms allows {config.deploy.migration_lock_ms:.0f})")
