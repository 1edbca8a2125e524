"""What keeps the footprint bounded: once a day, when the disk runs low, and when asked."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from aiimprove import backups, build, disk, footprint, logs, recording, retention
from aiimprove.errors import AiimproveError, Locked
from aiimprove.finding import Json
from aiimprove.lock import held
from aiimprove.release import Environment, Slot
from aiimprove.store import forgetting, packing
from aiimprove.workspace import Workspace

LEASE, PRUNED = "prune", "pruned"
EVERY_SECONDS, WHEN_LOW_SECONDS, MEASURE_SECONDS = 86400.0, 600.0, 3600.0
_OLD_SECONDS = 3600.0
_GIT = "git"
_LOG = logging.getLogger("aiimprove")


@dataclass(frozen=True)
class Pruned:
    """What went, by kind: how many of each. `footprint` is what is left."""

    removed: dict[str, int] = field(default_factory=dict)
    freed_bytes: int = 0
    footprint: dict[str, Json] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        return asdict(self)

    @property
    def words(self) -> str:
        return ", ".join(f"{count} {name}" for name, count in self.removed.items()) or "nothing"


def due(workspace: Workspace) -> bool:
    """A day has passed since the last time, whichever way the clock was set; or the disk runs low."""
    passed = abs(time.time() - float(workspace.store.fact(PRUNED) or 0.0))
    low = disk.free(workspace.config.state_folder).bytes < workspace.config.limits.free_mb * disk.MEGA
    return passed > (WHEN_LOW_SECONDS if low else EVERY_SECONDS)


def measuring_due(workspace: Workspace) -> bool:
    """The figure that `status` shows is an hour old."""
    measured = workspace.store.fact(footprint.FOOTPRINT) or {"at": 0.0}
    return abs(time.time() - float(measured["at"])) > MEASURE_SECONDS


def prune(workspace: Workspace) -> Pruned:
    """Remove what is beyond the limits of the config, and what crashes left. Safe at any time: what serves, what a way
    back could need and what anybody works with stays. Raises Locked while another one is at it."""
    with held(workspace.store, LEASE, "removing what nobody needs"):
        before = footprint.measure(workspace)["bytes"]
        removed = {"releases": len(retention.prune(workspace)), "logs": _logs(workspace)}
        backups.forget(workspace.config)
        recording.forget(workspace.config)
        removed |= {"scratch folders": _scratch(workspace), "dev clones": _dev_clones(workspace)}
        removed |= _rows(workspace)
        workspace.store.set_fact(PRUNED, time.time())
        after = footprint.measure(workspace)
    gone = {name: count for name, count in removed.items() if count}
    return Pruned(gone, max(0, before - after["bytes"]), after)


def _rows(workspace: Workspace) -> dict[str, int]:
    """What state.db forgets. Packing needs room; on a full disk everything else goes all the same."""
    store, limits, now = workspace.store, workspace.config.limits, time.time()
    branches, improvements = forgetting.improvements(store, limits)
    removed = {
        "looks at health": forgetting.health(store, limits, now), "findings": forgetting.findings(store, limits, now),
        "deployments": forgetting.deployments(store, limits), "improvements": improvements,
        "records of releases": forgetting.releases(store, lambda: [each.id for each in build.kept(workspace.config)]),
        "branches": _branches(workspace, branches),
    }
    try:
        removed["packed events"] = packing.pack(store, limits.events)
        removed["files of events"] = packing.forget(store, round(limits.events_mb * disk.MEGA), workspace.performer)
        forgetting.compact(store)
    except (OSError, sqlite3.OperationalError) as error:
        _LOG.warning("prune: events stay where they are: %s", error)
    return removed


def _branches(workspace: Workspace, branches: list[str]) -> int:
    """Branches ai/... of improvements that were closed long ago; one that cannot be removed stays."""
    for branch in branches:
        with suppress(AiimproveError):
            workspace.repository.delete_branch(branch)
    return len(branches)


def _logs(workspace: Workspace) -> int:
    slots = workspace.slots
    running = [slot for environment in Environment for slot in slots.running(environment).values()]
    in_use = [slots.log(slot, name) for slot in running for name in slot.ports]
    return len(logs.cut_all(workspace.config)) + len(logs.prune(workspace.config, in_use))


def _scratch(workspace: Workspace) -> int:
    """Scratch folders that a crash left: nobody is at any work now, and they are old."""
    state = workspace.config.state_folder
    if retention.busy(workspace):
        return 0
    drafts = [*state.glob("work/*"), *state.glob("backups/.*"), *state.glob("assets/*/.*")]
    old = [each for each in drafts if each.name != _GIT and _age(each) > _OLD_SECONDS]
    for each in old:
        shutil.rmtree(each, ignore_errors=True)
    return len(old)


def _dev_clones(workspace: Workspace) -> int:
    """The data of the dev slot that runs no more."""
    data = workspace.data(Environment.DEV)
    try:
        with held(workspace.store, "dev", "removing the clone that nobody uses"):
            running = workspace.slots.running(Environment.DEV)
            idle = [data / slot for slot in Slot if slot not in running and (data / slot).is_dir()]
            for each in idle if running else ():
                shutil.rmtree(each, ignore_errors=True)
            return len(idle) if running else 0
    except Locked:
        return 0


def _age(path: Path) -> float:
    with suppress(FileNotFoundError):
        return abs(time.time() - os.path.getmtime(path))
    return 0.0
