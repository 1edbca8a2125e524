"""What the dev ports show: the first improvement that waits for an answer, else what is live; on cloned data."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from aiimprove import build, disk
from aiimprove.errors import Refused
from aiimprove.gateway import Generation
from aiimprove.improvement import Improvement, Status
from aiimprove.lock import held
from aiimprove.rehearsal import migrate
from aiimprove.release import Environment, Release, Slot
from aiimprove.snapshot import clone
from aiimprove.workspace import DEV_IMPROVEMENT, DEV_RELEASE, Workspace

PREVIEW = "preview"
_SHOWABLE = frozenset({Status.VERIFIED, Status.AWAITING_APPROVAL, Status.APPROVED, Status.LIVE, Status.UNPROVEN})


@dataclass(frozen=True)
class Shown:
    """The release on the dev ports, and the improvement that it is (empty: what is live)."""

    release: str
    improvement: str


def wanted(workspace: Workspace) -> Shown:
    """What dev should show now: what a person chose while that waits, the first that waits, else live."""
    waiting = workspace.store.improvements({Status.AWAITING_APPROVAL})
    chosen = workspace.store.fact(PREVIEW)
    first = next((each for each in waiting if each.id == chosen), waiting[0] if waiting else None)
    return Shown(first.release, first.id) if first else Shown(str(workspace.store.fact("live_release")), "")


def up_to_date(workspace: Workspace) -> bool:
    """Whether dev shows what it should, and runs."""
    shows = Shown(str(workspace.store.fact(DEV_RELEASE)), str(workspace.store.fact(DEV_IMPROVEMENT) or ""))
    return shows == wanted(workspace) and bool(workspace.slots.running(Environment.DEV))


def show(workspace: Workspace, improvement_id: str = "") -> Shown:
    """Put the named improvement, else what dev should show, on the dev ports. Raises Refused when nothing is live."""
    workspace.live()
    if improvement_id:
        _must_be_built(workspace.store.improvement(improvement_id))
        workspace.store.set_fact(PREVIEW, improvement_id)
    with held(workspace.store, "dev", "changing what dev shows"):
        target = _target(workspace, improvement_id)
        if target != Shown(str(workspace.store.fact(DEV_RELEASE)), str(workspace.store.fact(DEV_IMPROVEMENT) or "")) \
                or not workspace.slots.running(Environment.DEV):
            _switch(workspace, target)
    return target


def _target(workspace: Workspace, improvement_id: str) -> Shown:
    if not improvement_id:
        return wanted(workspace)
    improvement = workspace.store.improvement(improvement_id)
    return Shown(improvement.release, improvement.id)


def _must_be_built(improvement: Improvement) -> None:
    if improvement.status not in _SHOWABLE or not improvement.release:
        raise Refused(f"{improvement.id} is {improvement.status}: only one that was tested can be shown on dev")


def _switch(workspace: Workspace, target: Shown) -> None:
    release = build.load(workspace.config, target.release)
    running, current = workspace.slots.running(Environment.DEV), workspace.gateway.current(Environment.DEV)
    shown = next((each for each in running.values() if current and dict(each.ports) == dict(current.stable)), None)
    slot = shown.slot.other if shown else Slot.BLUE
    for stale in ([running[slot]] if slot in running else []):
        workspace.slots.stop(stale)
    disk.must_fit(workspace.config, "the development copy", disk.live_data(workspace.config))
    workspace.progress(f"dev: starting {target.improvement or 'what is live'}")
    _fresh_data(workspace, release, slot)
    fresh = workspace.slots.start(release, slot, Environment.DEV)
    banner = f"improvement {target.improvement}" if target.improvement else f"live release {release.id}"
    workspace.gateway.switch(Environment.DEV, Generation(release=release.id, stable=fresh.ports, banner=banner))
    workspace.slots.link_logs(fresh)
    workspace.store.set_fact(DEV_RELEASE, target.release)
    workspace.store.set_fact(DEV_IMPROVEMENT, target.improvement or None)
    for old in workspace.slots.running(Environment.DEV).values():
        if old.slot is not slot:
            workspace.slots.drain(old, 2.0)
            workspace.slots.stop(old)


def _fresh_data(workspace: Workspace, release: Release, slot: Slot) -> None:
    """A new clone of live's data for a dev slot, migrated by the release that it will run."""
    data = workspace.slots.data(Environment.DEV, slot)
    shutil.rmtree(data, ignore_errors=True)
    clone(workspace.config, workspace.data("live"), data)
    migrate(workspace.config, release, data, workspace.box)
