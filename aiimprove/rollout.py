"""One release in the place of another: start, prove healthy, switch, watch, commit or go back.

Every step is journalled in the deployment's record before it is done, so that the next command finishes or undoes
what a crash left. Rollback is the same code with an earlier release.
"""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack
from dataclasses import dataclass

from aiimprove import migration
from aiimprove.errors import AiimproveError, Locked, NotHealthy, ReleaseFailed
from aiimprove.event import Event
from aiimprove.gateway import Generation, Watch
from aiimprove.improvement import Status
from aiimprove.lock import held, holder
from aiimprove.release import Deployment, DeploymentStatus, Environment, Release, Slot
from aiimprove.repository import LIVE_BRANCH
from aiimprove.slots import RunningSlot
from aiimprove.watching import Seen, before_switch, watch
from aiimprove.workspace import LIVE_COMMIT, LIVE_RELEASE, Workspace

DEPLOY = "deploy"


@dataclass(frozen=True)
class Order:
    """What to put live: a built release, why (first, deploy, rollback), and which improvements come or go with it."""

    release: Release
    reason: str = "deploy"
    adds: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()


def put_live(workspace: Workspace, order: Order) -> Deployment:
    """Put a release live and watch it. Raises ReleaseFailed when it did not stay (the one before serves), Locked."""
    with ExitStack() as watching:
        with held(workspace.store, DEPLOY, f"putting {order.release.id} live"):
            undo_unfinished(workspace)
            deployment = _prepare(workspace, order)
            try:
                fresh = _start(workspace, deployment, order)
                seen = before_switch(workspace, deployment)
                deployment = _switch(workspace, deployment, fresh)
            except (AiimproveError, KeyboardInterrupt) as error:
                abort(workspace, _latest(workspace, deployment), str(error) or "interrupted",
                      condemn=isinstance(error, ReleaseFailed))
                raise
            watching.enter_context(held(workspace.store, f"watch {deployment.id}", "watching the new release"))
        return _watch(workspace, deployment, seen)


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
    _tidy(workspace)
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
    _tidy(workspace)
    return after


def live_generation(slot: RunningSlot) -> Generation:
    return Generation(release=slot.release, stable=slot.ports)


# -- the steps ----------------------------------------------------------------------------------------------------

def _prepare(workspace: Workspace, order: Order) -> Deployment:
    workspace.store.add_release(order.release)
    serving = _serving(workspace)
    slot = serving.slot.other if serving else Slot.BLUE
    replaces = str(workspace.store.fact(LIVE_RELEASE) or "")
    name = f"d-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    return workspace.store.add_deployment(
        Deployment(name, order.release.id, replaces, slot, reason=order.reason, adds=order.adds,
                   removes=order.removes), workspace.performer)


def _start(workspace: Workspace, deployment: Deployment, order: Order) -> RunningSlot:
    if order.reason != "rollback":
        workspace.progress("bringing the database up to the release")
        migration.migrate_live(workspace, order.release, deployment.id)
    workspace.progress(f"starting release {order.release.id} in slot {deployment.slot}")
    return workspace.slots.start(order.release, deployment.slot, Environment.LIVE)


def _switch(workspace: Workspace, deployment: Deployment, fresh: RunningSlot) -> Deployment:
    deployment = _advance(workspace, deployment, DeploymentStatus.STARTED, "healthy beside the one that serves")
    serving = _serving(workspace)
    if serving is not None:
        _guard(workspace, deployment, serving)
    workspace.slots.verify(fresh)
    deployment = _advance(workspace, deployment, DeploymentStatus.WATCHING, "all traffic")
    workspace.gateway.switch(Environment.LIVE, live_generation(fresh))
    workspace.slots.link_logs(fresh)
    workspace.progress("switched; watching it")
    return deployment


def _guard(workspace: Workspace, deployment: Deployment, serving: RunningSlot) -> None:
    """From here on, traffic returns by itself when nobody renews the watch."""
    current = workspace.gateway.current(Environment.LIVE)
    if current is not None:
        checks = tuple(workspace.slots.health_urls(serving))
        workspace.gateway.hold(Watch(deployment.id, current.number, checks), workspace.config.deploy.lease_seconds)


def _watch(workspace: Workspace, deployment: Deployment, seen: Seen) -> Deployment:
    try:
        judgement = watch(workspace, deployment, seen)
    except KeyboardInterrupt:
        abort(workspace, _latest(workspace, deployment), "interrupted", condemn=False)
        raise
    if judgement is not None and judgement.failed:
        abort(workspace, _latest(workspace, deployment), judgement.why, condemn=True)
        raise ReleaseFailed(f"release {deployment.release} was taken back: {judgement.why}. "
                            f"{deployment.replaces or 'Nothing'} serves")
    if judgement is None:
        raise ReleaseFailed(f"release {deployment.release} was taken back: {_latest(workspace, deployment).message}")
    return _commit(workspace, deployment, judgement.why)


def _commit(workspace: Workspace, deployment: Deployment, why: str) -> Deployment:
    if deployment.replaces and not workspace.gateway.renew(deployment.id, workspace.config.deploy.lease_seconds):
        abort(workspace, _latest(workspace, deployment), "nobody watched it in time", condemn=False)
        raise ReleaseFailed(f"the watch over release {deployment.release} lapsed: {deployment.replaces} serves")
    after = deployment.advance(DeploymentStatus.COMMITTED, why, finished=time.time())
    commit = workspace.store.release(deployment.release).commit
    with workspace.store.transaction():
        workspace.store.put_deployment(deployment, after, workspace.performer)
        workspace.store.set_fact(LIVE_RELEASE, deployment.release)
        workspace.store.set_fact(LIVE_COMMIT, commit)
        _settle_improvements(workspace, deployment)
        workspace.store.append(Event("release.promoted", deployment.release, workspace.performer,
                                     {"replaces": deployment.replaces}))
    workspace.gateway.release_watch(deployment.id)
    workspace.progress("stopping the release before")
    _tidy(workspace)
    return after


def _settle_improvements(workspace: Workspace, deployment: Deployment) -> None:
    moves = [(name, Status.LIVE) for name in deployment.adds] + [(n, Status.ROLLED_BACK) for n in deployment.removes]
    for name, status in moves:
        improvement = workspace.store.improvement(name)
        if improvement.status is not status:
            after = improvement.advance(status, reason=f"with release {deployment.release}")
            workspace.store.put(improvement, after, workspace.performer, after.reason)


# -- going back, and tidying up -------------------------------------------------------------------------------------

def _return_traffic(workspace: Workspace, deployment: Deployment) -> None:
    current = workspace.gateway.current(Environment.LIVE)
    if current is None or current.release != deployment.release or not deployment.replaces:
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
    workspace.slots.link_logs(stable)


def _tidy(workspace: Workspace) -> None:
    """Stop what serves nobody, point aiimprove/live at what serves; safe to repeat."""
    serving = _serving(workspace)
    workspace.gateway.acknowledge()
    for slot in workspace.slots.running(Environment.LIVE).values():
        if serving is None or slot.slot is not serving.slot:
            workspace.slots.drain(slot, workspace.config.deploy.drain_seconds)
            workspace.slots.stop(slot)
    commit = workspace.store.fact(LIVE_COMMIT)
    if commit:
        workspace.repository.set_branch(LIVE_BRANCH, str(commit))


def _serving(workspace: Workspace) -> RunningSlot | None:
    """The slot that the gateway sends visitors to, if it runs."""
    current = workspace.gateway.current(Environment.LIVE)
    slots = workspace.slots.running(Environment.LIVE).values()
    return next((slot for slot in slots if current and dict(slot.ports) == dict(current.stable)), None)


def _advance(workspace: Workspace, deployment: Deployment, to: DeploymentStatus, message: str) -> Deployment:
    after = deployment.advance(to, message)
    with workspace.store.transaction():
        workspace.store.put_deployment(deployment, after, workspace.performer)
    return after


def _latest(workspace: Workspace, deployment: Deployment) -> Deployment:
    return next(each for each in workspace.store.deployments() if each.id == deployment.id)


def revive(workspace: Workspace) -> bool:
    """Start the live release again after a stop or a reboot; False when it serves already."""
    with held(workspace.store, DEPLOY, "starting what is live"):
        undo_unfinished(workspace)
        if _serving(workspace) is not None:
            workspace.slots.revive()
            return False
        release = workspace.live()
        try:
            slot = workspace.slots.start(release, Slot.BLUE, Environment.LIVE)
        except NotHealthy as error:
            raise ReleaseFailed(f"the live release {release.id} does not start: {error}. "
                                "'aiimprove rollback' starts the one before") from None
        workspace.gateway.switch(Environment.LIVE, live_generation(slot))
        workspace.slots.link_logs(slot)
        return True
