"""The way back from a deployment: traffic returns to the release before, and nothing that serves nobody goes on."""

from __future__ import annotations

import logging
import time
from dataclasses import replace

from aiimprove.errors import Refused, Stale
from aiimprove.gateway import Generation
from aiimprove.improvement import Status
from aiimprove.release import Deployment, DeploymentStatus, Environment, Slot
from aiimprove.repository import LIVE_BRANCH
from aiimprove.slots import RunningSlot
from aiimprove.workspace import LIVE_COMMIT, LIVE_RELEASE, Workspace

DEPLOY = "deploy"
_LOG = logging.getLogger("aiimprove")


def abort(workspace: Workspace, deployment: Deployment, why: str, *, condemn: bool) -> Deployment:
    """Traffic back to the release before, proven healthy first.

    With `condemn` its improvements are ROLLED_BACK; else they stay approved and may be tried again. The new slot goes
    on until somebody tidies up. Raises Stale, before anything happens, when another process has taken over.
    """
    with workspace.store.transaction():
        if latest(workspace, deployment).version != deployment.version:
            raise Stale(f"deployment {deployment.id} was ended by another process meanwhile")
    _return_traffic(workspace, deployment)
    after = deployment.advance(DeploymentStatus.ABORTED, why, finished=time.time())
    with workspace.store.transaction():
        workspace.store.put_deployment(deployment, after, workspace.performer)
        for name in deployment.adds if condemn else ():
            improvement = workspace.store.improvement(name)
            if improvement.status is Status.APPROVED:
                workspace.store.put(improvement, improvement.advance(Status.ROLLED_BACK, reason=why),
                                    workspace.performer, why)
    return after


def in_order(workspace: Workspace) -> bool:
    """Whether the gateway sends visitors to what the store says is live, and nothing else of live runs.

    True also while a deployment is under way: then its own record tells what is right.
    """
    if workspace.store.unfinished():
        return True
    current, running = workspace.gateway.current(Environment.LIVE), workspace.slots.running(Environment.LIVE)
    live = workspace.store.fact(LIVE_RELEASE)
    return not running or not live or (current is not None and current.release == live and len(running) == 1)


def tidy(workspace: Workspace, keep: str = "") -> None:
    """Stop what serves nobody, point the logs and aiimprove/live at what serves; safe to repeat.

    The caller holds the deploy lease; a slot with release `keep` goes on. Whether a slot serves is asked again right
    before it is stopped.
    """
    workspace.gateway.acknowledge()
    for slot in workspace.slots.running(Environment.LIVE).values():
        if slot != serving_slot(workspace) and slot.release != keep:
            workspace.slots.drain(slot, workspace.config.deploy.drain_seconds)
            if slot != serving_slot(workspace):
                _without_spare(workspace)
                workspace.slots.stop(slot)
    serving = serving_slot(workspace)
    if serving is not None:
        workspace.slots.link_logs(serving)
    _point_branch(workspace)


def _without_spare(workspace: Workspace) -> None:
    """No request may go to a port that anybody could have next."""
    current = workspace.gateway.current(Environment.LIVE)
    if current is not None and current.spare:
        workspace.gateway.switch(Environment.LIVE, replace(current, spare={}))


def wait_for_idle_slots(workspace: Workspace) -> None:
    """Until nobody is connected to what serves nobody, at most `deploy.drain_seconds` for each slot."""
    if not workspace.store.unfinished():
        for slot in workspace.slots.running(Environment.LIVE).values():
            if slot != serving_slot(workspace):
                workspace.slots.drain(slot, workspace.config.deploy.drain_seconds)


def _point_branch(workspace: Workspace) -> None:
    """aiimprove/live is for people: what serves does not depend on whether it can be written."""
    commit = workspace.store.fact(LIVE_COMMIT)
    try:
        if commit:
            workspace.repository.set_branch(LIVE_BRANCH, str(commit))
    except Refused as refused:
        _LOG.warning("%s", refused)


def keep_serving(workspace: Workspace) -> int:
    """Gives what serves live a new shim where one died, so that it is kept alive again, and wakes what was stopped;
    how many that were."""
    serving = serving_slot(workspace)
    kept = serving.kept().values() if serving else ()
    return workspace.gateway.revive() + sum(each.revive() for each in kept)


def serving_slot(workspace: Workspace) -> RunningSlot | None:
    """The slot that the gateway sends visitors to, if it runs."""
    current = workspace.gateway.current(Environment.LIVE)
    slots = workspace.slots.running(Environment.LIVE).values()
    return next((slot for slot in slots if current and dict(slot.ports) == dict(current.stable)), None)


def healthy_slot(workspace: Workspace, release: str) -> RunningSlot:
    """A slot of live in which a release runs, proven healthy now; when there is none it is started. Raises NotHealthy.
    """
    running = workspace.slots.running(Environment.LIVE)
    slot = next((each for each in running.values() if each.release == release), None)
    if slot is None:
        free = next((each for each in Slot if each not in running), None) or _emptied(workspace)
        slot = workspace.slots.start(workspace.store.release(release), free, Environment.LIVE)
    workspace.slots.verify(slot)
    return slot


def _emptied(workspace: Workspace) -> Slot:
    """Of two slots that are in use, the one that serves nobody is stopped."""
    serving = serving_slot(workspace)
    idle = next(each for each in workspace.slots.running(Environment.LIVE).values() if each != serving)
    workspace.slots.stop(idle)
    return idle.slot


def live_generation(slot: RunningSlot, spare: RunningSlot | None = None) -> Generation:
    """All traffic to a slot; `spare` answers what it does not, while that is warm."""
    return Generation(release=slot.release, stable=slot.ports, spare=spare.ports if spare else {})


def record(workspace: Workspace, before: Deployment, after: Deployment) -> Deployment:
    """Write down how far a deployment is. Raises Stale when somebody was faster."""
    with workspace.store.transaction():
        workspace.store.put_deployment(before, after, workspace.performer)
    return after


def latest(workspace: Workspace, deployment: Deployment) -> Deployment:
    """The deployment as it is recorded now."""
    return workspace.store.deployment(deployment.id)


def _return_traffic(workspace: Workspace, deployment: Deployment) -> None:
    current = workspace.gateway.current(Environment.LIVE)
    met = (current.release, current.candidate_release) if current else ()
    if deployment.release not in met or not deployment.replaces:
        workspace.gateway.release_watch(deployment.id)
        return
    stable = healthy_slot(workspace, deployment.replaces)
    workspace.gateway.take_back(live_generation(stable), deployment.id)
