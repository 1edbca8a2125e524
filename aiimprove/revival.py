"""The live release, started again after a stop or a reboot."""

from __future__ import annotations

from aiimprove import restoring
from aiimprove.errors import Locked, NotHealthy, ReleaseFailed
from aiimprove.lock import held, holder
from aiimprove.release import Environment, Slot
from aiimprove.rollout import keep_assets
from aiimprove.unfinished import end_unfinished
from aiimprove.way_back import DEPLOY, live_generation, serving_slot
from aiimprove.workspace import LIVE_RELEASE, Workspace

SYSTEM = "system"


def serve_again(workspace: Workspace) -> bool:
    """Start live again when the gateway stands and nobody is behind it: a service and its shim died both. False when
    that is not so, or somebody is at it."""
    store = workspace.store
    busy = store.unfinished() or any(holder(store, name) for name in (DEPLOY, SYSTEM))
    if busy or not workspace.gateway.running() or not store.fact(LIVE_RELEASE) or serving_slot(workspace) is not None:
        return False
    try:
        return revive(workspace)
    except Locked:
        return False


def revive(workspace: Workspace) -> bool:
    """Start what was live, as it was made; False when it serves already. Raises ReleaseFailed, Locked."""
    with held(workspace.store, DEPLOY, "starting what is live"):
        restoring.finish(workspace)
        end_unfinished(workspace)
        if serving_slot(workspace) is not None:
            workspace.slots.revive()
            return False
        release = workspace.live()
        keep_assets(workspace, release)
        try:
            slot = workspace.slots.start(release, Slot.BLUE, Environment.LIVE)
        except NotHealthy as error:
            raise ReleaseFailed(f"the live release {release.id} does not start: {error}. "
                                "'aiimprove rollback' starts the one before") from None
        workspace.gateway.switch(Environment.LIVE, live_generation(slot))
        workspace.slots.link_logs(slot)
        return True
