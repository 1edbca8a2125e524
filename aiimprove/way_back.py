"""The way back from a deployment: traffic returns to the release before, and nothing that serves nobody goes on."""

from __future__ import annotations

import time

from aiimprove.errors import Locked
from aiimprove.gateway import Generation
from aiimprove.improvement import Status
from aiimprove.lock import holder
from aiimprove.release import Deployment, DeploymentStatus, Environment, Slot
from aiimprove.repository import LIVE_BRANCH
from aiimprove.slots import RunningSlot
from aiimprove.workspace import LIVE_COMMIT, LIVE_RELEASE, Workspace


def undo_unfinished(workspace: Workspace) -> str:
    """Undo what a deployment that nobody looks after any more left; empty when there is none.

    The caller holds the deploy lease. Raises Locked while somebody watches a deployment.
    """
    words = ""
    for deployment in (each for each in workspace.store.deployments() if not each.ended):
        watcher = holder(workspace.store, f"watch {deployment.id}")
        if watcher is not None:
            raise Locked(f"release {deployment.release} is being watched by process {watcher.process.pid}: wait until "
                         "it is done, or 'aiimprove rollback' takes it back now")
        returned = workspace.gateway.returned()
        why = returned.why if returned and returned.deployment == deployment.id else "whoever did it died"
        abort(workspace, deployment, why, condemn=False)
        words = f"deployment {deployment.id} was undone: {why}; {deployment.replaces or 'nothing'} serves"
    words = words or _correct(workspace)
    tidy(workspace)
    return words


def abort(workspace: Workspace, deployment: Deployment, why: str, *, condemn: bool) -> Deployment:
    """Traffic back to the release before, proven healthy first; then the new slot ends.

    With `condemn` its improvements are ROLLED_BACK; else they stay approved and may be tried again.
    """
    _return_traffic(workspace, deployment)
    after = deployment.advance(DeploymentStatus.ABORTED, why, finished=time.time())
    with workspace.store.transaction():
        workspace.store.put_deployment(deployment, after, workspace.performer)
        for name in deployment.adds if condemn else ():
            improvement = workspace.store.improvement(name)
            if improvement.status is Status.APPROVED:
                workspace.store.put(improvement, improvement.advance(Status.ROLLED_BACK, reason=why),
                                    workspace.performer, why)
    tidy(workspace)
    return after


def in_order(workspace: Workspace) -> bool:
    """Whether the gateway sends visitors to what the store says is live, and nothing else of live runs.

    True also while a deployment is under way: then its own record tells what is right.
    """
    if any(not each.ended for each in workspace.store.deployments()):
        return True
    current, running = workspace.gateway.current(Environment.LIVE), workspace.slots.running(Environment.LIVE)
    live = workspace.store.fact(LIVE_RELEASE)
    return not running or not live or (current is not None and current.release == live and len(running) == 1)


def tidy(workspace: Workspace) -> None:
    """Stop what serves nobody, point the logs and aiimprove/live at what serves; safe to repeat."""
    serving = serving_slot(workspace)
    workspace.gateway.acknowledge()
    for slot in workspace.slots.running(Environment.LIVE).values():
        if serving is None or slot.slot is not serving.slot:
            workspace.slots.drain(slot, workspace.config.deploy.drain_seconds)
            workspace.slots.stop(slot)
    if serving is not None:
        workspace.slots.link_logs(serving)
    commit = workspace.store.fact(LIVE_COMMIT)
    if commit:
        workspace.repository.set_branch(LIVE_BRANCH, str(commit))


def _correct(workspace: Workspace) -> str:
    """The store is the truth: visitors go to the release that it names, when the gateway says otherwise."""
    if in_order(workspace):
        return ""
    live, current = str(workspace.store.fact(LIVE_RELEASE)), workspace.gateway.current(Environment.LIVE)
    if current is not None and current.release == live:
        return "a slot that served nobody was stopped"
    running = workspace.slots.running(Environment.LIVE)
    slot = next((each for each in running.values() if each.release == live), None)
    if slot is None:
        free = next(each for each in Slot if each not in running)
        slot = workspace.slots.start(workspace.store.release(live), free, Environment.LIVE)
    workspace.slots.verify(slot)
    workspace.gateway.acknowledge()
    workspace.gateway.switch(Environment.LIVE, live_generation(slot))
    return f"release {live} serves again, as the record says"


def serving_slot(workspace: Workspace) -> RunningSlot | None:
    """The slot that the gateway sends visitors to, if it runs."""
    current = workspace.gateway.current(Environment.LIVE)
    slots = workspace.slots.running(Environment.LIVE).values()
    return next((slot for slot in slots if current and dict(slot.ports) == dict(current.stable)), None)


def live_generation(slot: RunningSlot) -> Generation:
    """All traffic to a slot."""
    return Generation(release=slot.release, stable=slot.ports)


def latest(workspace: Workspace, deployment: Deployment) -> Deployment:
    """The deployment as it is recorded now."""
    return next(each for each in workspace.store.deployments() if each.id == deployment.id)


def _return_traffic(workspace: Workspace, deployment: Deployment) -> None:
    current = workspace.gateway.current(Environment.LIVE)
    met = (current.release, current.candidate_release) if current else ()
    if deployment.release not in met or not deployment.replaces:
        workspace.gateway.release_watch(deployment.id)
        return
    stable = next((slot for slot in workspace.slots.running(Environment.LIVE).values()
                   if slot.release == deployment.replaces), None)
    if stable is None:
        release = workspace.store.release(deployment.replaces)
        stable = workspace.slots.start(release, deployment.slot.other, Environment.LIVE)
    workspace.slots.verify(stable)
    workspace.gateway.switch(Environment.LIVE, live_generation(stable))
    workspace.gateway.release_watch(deployment.id)
