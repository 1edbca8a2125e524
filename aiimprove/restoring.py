"""A backup in the place of the live data: what that would lose is counted first, and what is there now is kept.

The copy that goes live is brought up to the live release and proven to serve before anything is stopped. Then the
live slot stops, the two folders change places in one step, and the slot starts again: reads wait at the gateway
meanwhile, writes are told to come back. A note in the state folder says what is under way, so that whoever comes after
a crash finishes it.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiimprove import atomic, backups
from aiimprove.backups import Kept
from aiimprove.checks.smoke import answers
from aiimprove.disk import used
from aiimprove.errors import MachineFailed, NotHealthy, ReleaseFailed
from aiimprove.event import Event
from aiimprove.exchange import exchange
from aiimprove.finding import Json
from aiimprove.gateway import Generation
from aiimprove.ledger import Loss, losses, rows_lost
from aiimprove.lock import held
from aiimprove.proving import Copy, running_copy
from aiimprove.rehearsal import databases, migrate
from aiimprove.release import Environment
from aiimprove.settings import Config
from aiimprove.snapshot import clone, rows
from aiimprove.unfinished import end_unfinished
from aiimprove.way_back import DEPLOY, healthy_slot, live_generation, serving_slot
from aiimprove.workspace import LIVE_RELEASE, Workspace

PAUSE_SECONDS = 3.0
"""For requests under way: the gateway holds reads for ten seconds at most."""


@dataclass(frozen=True)
class Plan:
    """What a restore would do, by database: rows written since the backup (new or changed), which are lost, and rows
    removed or changed since, which come back as they were."""

    backup: Kept
    lost: Mapping[str, list[Loss]]
    back: Mapping[str, list[Loss]]

    def to_json(self) -> dict[str, Json]:
        return {"backup": self.backup.name, "rows_lost": sum(map(rows_lost, self.lost.values())),
                "lost": _counts(self.lost), "rows_back": sum(map(rows_lost, self.back.values())),
                "back": _counts(self.back)}


def plan(workspace: Workspace, name: str) -> Plan:
    """What restoring the backup of that name would lose now. Raises NotFound, MachineFailed when it is damaged."""
    config, kept, work = workspace.config, backups.named(workspace.config, name), workspace.work("restore-plan")
    backups.verify(kept)
    try:
        clone(config, workspace.data("live"), work / "now")
        clone(config, kept.folder, work / "then")
        both = [each for each in databases(config)
                if (work / "now" / each).exists() and (work / "then" / each).exists()]
        return Plan(kept, {each: losses(work / "now" / each, work / "then" / each) for each in both},
                    {each: losses(work / "then" / each, work / "now" / each) for each in both})
    except (OSError, sqlite3.Error) as error:
        raise MachineFailed(f"what would be lost could not be counted: {error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def restore(workspace: Workspace, wanted: Plan) -> Kept:
    """Carry a plan out; the data that was live until then, as a backup of its own.

    Raises ReleaseFailed when the live release does not run on it (the present data serves), MachineFailed, Locked.
    """
    config = workspace.config
    name = f"before-restore-{time.strftime('%Y%m%d-%H%M%S')}"
    with held(workspace.store, DEPLOY, f"restoring the backup {wanted.backup.name}"):
        end_unfinished(workspace)
        staged = _staged(workspace, wanted.backup, name)
        _note(config, {"name": name, "backup": wanted.backup.name, "inode": staged.stat().st_ino})
        workspace.store.append(Event("data.restoring", name, workspace.performer, wanted.to_json()))
        _pause(workspace)
        exchange(workspace.data("live"), staged)
        finish(workspace)
    return backups.named(config, name)


def finish(workspace: Workspace) -> str:
    """Finish a restore from wherever it stands, and say so; empty when none is under way. The caller holds the deploy
    lease.

    When the live release does not start on the restored data, the data before is put back; then raises ReleaseFailed.
    """
    config = workspace.config
    if not backups.restore_under_way(config):
        return ""
    noted = json.loads(backups.restoring(config).read_text("utf-8"))
    draft, live = backups.folder(config) / f".{noted['name']}", workspace.data("live")
    if live.stat().st_ino != noted["inode"]:
        _serve(workspace)
        return _ended(config, draft, f"the backup {noted['backup']} was not restored: live has the data it had")
    try:
        _serve(workspace)
    except NotHealthy as failed:
        exchange(live, draft)
        _serve(workspace)
        said = _ended(config, draft, f"the backup {noted['backup']} was not restored: live has the data it had")
        raise ReleaseFailed(f"{said}; the live release does not start on the other: {failed}") from failed
    _keep(config, noted["name"], draft, f"the live data before the backup {noted['backup']} was restored")
    workspace.store.append(Event("data.restored", noted["name"], workspace.performer, {"backup": noted["backup"]}))
    backups.forget(config)
    return _ended(config, draft, f"the backup {noted['backup']} is live; what was before is kept as {noted['name']}")


def _staged(workspace: Workspace, kept: Kept, name: str) -> Path:
    """A copy of the backup that the live release was seen to serve from."""
    config, release = workspace.config, workspace.live()
    draft, work = backups.folder(config) / f".{name}", workspace.work("restore")
    try:
        workspace.progress("bringing a copy of the backup up to the live release, and trying it")
        backups.verify(kept)
        clone(config, kept.folder, draft)
        migrate(config, release, draft, None)
        with running_copy(config, release, draft, work, workspace.box, migrated=True) as copy:
            _must_serve(config, copy)
        return draft
    except (OSError, sqlite3.Error) as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise MachineFailed(f"the backup could not be prepared: {error}") from error
    except ReleaseFailed:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _must_serve(config: Config, copy: Copy) -> None:
    wrong = "; ".join(answers(copy, config))
    if wrong:
        raise NotHealthy(f"the live release does not serve from it: {wrong}")


def _pause(workspace: Workspace) -> None:
    """Nobody writes: new requests wait at the gateway, those under way have a moment to end, then the slot stops."""
    serving = serving_slot(workspace)
    if serving is None:
        return
    workspace.progress("stopping the live slot for a moment")
    workspace.gateway.switch(Environment.LIVE, Generation(serving.release))
    workspace.slots.drain(serving, min(PAUSE_SECONDS, workspace.config.deploy.drain_seconds))
    workspace.slots.stop(serving)


def _serve(workspace: Workspace) -> None:
    """Live serves, if it is up at all. Raises NotHealthy."""
    if serving_slot(workspace) is not None or not workspace.gateway.running() or not workspace.store.fact(LIVE_RELEASE):
        return
    slot = healthy_slot(workspace, workspace.live().id)
    workspace.gateway.switch(Environment.LIVE, live_generation(slot))
    workspace.slots.link_logs(slot)


def _keep(config: Config, name: str, draft: Path, why: str) -> None:
    size = used(draft).bytes
    counted = {each: rows(draft / each) for each in databases(config) if (draft / each).exists()}
    backups.note(config, Kept(name, backups.folder(config) / name, time.time(), why, size, counted))
    draft.rename(backups.folder(config) / name)


def _ended(config: Config, draft: Path, words: str) -> str:
    shutil.rmtree(draft, ignore_errors=True)
    backups.restoring(config).unlink()
    return words


def _note(config: Config, noted: Mapping[str, Json]) -> None:
    file = backups.restoring(config)
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(file, json.dumps(noted))


def _counts(found: Mapping[str, list[Loss]]) -> list[dict[str, Json]]:
    return [{"database": name, "table": loss.table, "gone": loss.gone, "changed": loss.changed}
            for name, tables in found.items() for loss in tables]
