"""One release in the place of another: start, prove healthy, switch, watch, commit or go back.

Every step is journalled in the deployment's record before it is done, so that the next command finishes or undoes
what a crash left. Rollback is the same code with an earlier release.
"""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace

from aiimprove import assets, build, canary_steps, migration, promotion, restoring
from aiimprove.canary import Judgement
from aiimprove.errors import AiimproveError, MachineFailed, NotHealthy, ReleaseFailed, Stale
from aiimprove.gateway import Watch
from aiimprove.improvement import Status
from aiimprove.lock import held
from aiimprove.release import MACHINE_FAILED, Deployment, DeploymentStatus, Environment, Release, Slot
from aiimprove.slots import RunningSlot
from aiimprove.unfinished import end_unfinished, tidy_afterwards
from aiimprove.watching import Seen, before_switch, promoted, watch
from aiimprove.way_back import (
    DEPLOY,
    abort,
    latest,
    live_generation,
    record,
    serving_slot,
    wait_for_idle_slots,
)
from aiimprove.workspace import LIVE_RELEASE, Workspace


@dataclass(frozen=True)
class Order:
    """What to put live: a built release, why (first, deploy, rollback), and which improvements come or go with it."""

    release: Release
    reason: str = "deploy"
    adds: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()


def put_live(workspace: Workspace, order: Order) -> Deployment:
    """Put a release live and watch it. Raises ReleaseFailed when it did not stay (the one before serves), Locked."""
    try:
        return _put_live(workspace, order)
    finally:
        tidy_afterwards(workspace)


def _put_live(workspace: Workspace, order: Order) -> Deployment:
    warm = order.release.id if order.reason == "rollback" else ""
    if not warm:
        wait_for_idle_slots(workspace)
    with ExitStack() as watching:
        with held(workspace.store, DEPLOY, f"putting {order.release.id} live"):
            restoring.finish(workspace)
            end_unfinished(workspace, keep=warm)
            with build.in_use(workspace.config, order.release):
                order = _with_present_settings(workspace, order)
                done = _done_meanwhile(workspace, order)
                if done is not None:
                    return done
                deployment = _prepare(workspace, order)
            try:
                fresh = _start(workspace, deployment, order)
                seen = before_switch(workspace, deployment)
                deployment = _switch(workspace, deployment, fresh)
            except (AiimproveError, KeyboardInterrupt) as error:
                _give_up(workspace, deployment, error)
                raise
            watching.enter_context(held(workspace.store, f"watch {deployment.id}", "watching the new release"))
        return _finish(workspace, deployment, seen)


def _done_meanwhile(workspace: Workspace, order: Order) -> Deployment | None:
    """Somebody was quicker, or what a crash left had only to be recorded: over itself a release would have no way
    back."""
    last = next(iter(workspace.store.deployments(DeploymentStatus.COMMITTED, limit=1)), None)
    serving = serving_slot(workspace)
    same = last is not None and serving is not None and last.release == serving.release == order.release.id
    return last if same and order.reason != "first" else None


def _give_up(workspace: Workspace, deployment: Deployment, error: BaseException) -> None:
    """What the machine failed at counts for nothing against the improvements: they stay approved."""
    if not isinstance(error, MachineFailed):
        abort(workspace, latest(workspace, deployment), str(error) or "interrupted",
              condemn=isinstance(error, ReleaseFailed))
        return
    why = f"{MACHINE_FAILED}, not the release: {error}"
    abort(workspace, latest(workspace, deployment), why, condemn=False)
    for each in deployment.adds:
        improvement = workspace.store.improvement(each)
        workspace.store.save(improvement, improvement.note(attempts=max(0, improvement.attempts - 1), reason=why),
                             workspace.performer, why)


def _with_present_settings(workspace: Workspace, order: Order) -> Order:
    """What is deployed is started as the config and the env file say now; what comes back, as it was."""
    if order.reason != "deploy":
        return order
    return replace(order, release=build.renewed(workspace.config, order.release))


def _prepare(workspace: Workspace, order: Order) -> Deployment:
    workspace.store.add_release(order.release)
    serving = serving_slot(workspace)
    slot = serving.slot.other if serving else Slot.BLUE
    replaces = str(workspace.store.fact(LIVE_RELEASE) or "")
    for each in order.adds:
        improvement = workspace.store.improvement(each)
        if improvement.status is not Status.APPROVED:
            raise Stale(f"{each} is {improvement.status} by now: nothing was deployed")
        workspace.store.save(improvement, improvement.note(attempts=improvement.attempts + 1), workspace.performer,
                             "being deployed")
    name = f"d-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    return workspace.store.add_deployment(
        Deployment(name, order.release.id, replaces, slot, reason=order.reason, adds=order.adds,
                   removes=order.removes), workspace.performer)


def _start(workspace: Workspace, deployment: Deployment, order: Order) -> RunningSlot:
    if order.reason != "rollback":
        workspace.progress("bringing the database up to the release")
        migration.migrate_live(workspace, order.release, deployment.id)
    keep_assets(workspace, order.release)
    warm = workspace.slots.running(Environment.LIVE).get(deployment.slot)
    if warm is not None:  # a way back, and what left the traffic a moment ago has not been stopped yet
        with suppress(NotHealthy):
            workspace.slots.verify(warm)
            return warm
        workspace.slots.stop(warm)
    workspace.progress(f"starting release {order.release.id} in slot {deployment.slot}")
    return workspace.slots.start(order.release, deployment.slot, Environment.LIVE)


def keep_assets(workspace: Workspace, *releases: Release) -> None:
    """For pages that are open while the traffic moves on; a full disk is no reason to stay."""
    try:
        assets.keep(workspace.config, releases)
    except OSError as error:
        workspace.progress(f"files of earlier releases are not kept for pages that are open: {error}")


def _switch(workspace: Workspace, deployment: Deployment, fresh: RunningSlot) -> Deployment:
    deployment = record(workspace, deployment,
                        deployment.advance(DeploymentStatus.STARTED, "healthy beside the one that serves"))
    serving = serving_slot(workspace)
    if serving is not None:
        _guard(workspace, deployment, serving)
    if serving is not None and canary_steps.wanted(workspace, deployment):
        return canary_steps.begin(workspace, deployment, fresh, live_generation(serving))
    return _promote(workspace, deployment, fresh)


def _promote(workspace: Workspace, deployment: Deployment, fresh: RunningSlot, why: str = "") -> Deployment:
    """All traffic to the new release, which was healthy a moment ago."""
    keep_assets(workspace, *(workspace.store.release(each) for each in filter(None, [deployment.replaces])))
    workspace.slots.verify(fresh)
    deployment = record(workspace, deployment, deployment.advance(DeploymentStatus.WATCHING, f"all traffic{why}"))
    before = serving_slot(workspace)
    spare = before if deployment.reason == "deploy" else None
    workspace.gateway.switch(Environment.LIVE, live_generation(fresh, spare), watched=deployment.id if before else "")
    if before is not None:
        workspace.slots.retire(before)
    workspace.slots.link_logs(fresh)
    workspace.progress("switched; watching it")
    return deployment


def _guard(workspace: Workspace, deployment: Deployment, serving: RunningSlot) -> None:
    """From here on, traffic returns by itself when nobody renews the watch."""
    current = workspace.gateway.current(Environment.LIVE)
    if current is not None:
        checks = tuple(workspace.slots.health_urls(serving))
        workspace.gateway.hold(Watch(deployment.id, current.number, checks), workspace.config.deploy.lease_seconds)


def _finish(workspace: Workspace, deployment: Deployment, seen: Seen) -> Deployment:
    """Watch the canary, promote it, watch it with all the traffic, commit it.

    A first release and a rollback are not watched: there is nothing to return to that is better.
    """
    limits, watched = workspace.config.deploy, deployment.replaces and deployment.reason != "rollback"
    try:
        if deployment.status is DeploymentStatus.CANARY:
            deployment = _after_the_canary(workspace, deployment, seen)
            promoted(seen)
        judgement = watch(workspace, deployment, seen, limits.watch_seconds if watched else 0.0)
        why = _must_stay(workspace, deployment, judgement)
        if watched:  # with few visitors nobody may have seen that its pages are broken
            workspace.slots.verify(_its_slot(workspace, deployment))
    except (NotHealthy, canary_steps.NoVerdict, KeyboardInterrupt) as error:
        abort(workspace, latest(workspace, deployment), str(error) or "interrupted",
              condemn=isinstance(error, NotHealthy))
        raise
    return _commit(workspace, deployment, why)


def _after_the_canary(workspace: Workspace, deployment: Deployment, seen: Seen) -> Deployment:
    """Promoted, when every step of the canary says so."""
    fresh, serving = _its_slot(workspace, deployment), serving_slot(workspace)
    if serving is None:
        raise NotHealthy(f"release {deployment.replaces} does not run any more")
    deployment, judgement = canary_steps.carry_out(workspace, deployment, seen, fresh, live_generation(serving))
    _must_stay(workspace, deployment, judgement)
    assert judgement is not None
    why = canary_steps.decide(workspace, deployment, judgement)
    return _promote(workspace, deployment, _its_slot(workspace, deployment), f"; canary: {why}")


def _its_slot(workspace: Workspace, deployment: Deployment) -> RunningSlot:
    slot = workspace.slots.running(Environment.LIVE).get(deployment.slot)
    if slot is None or slot.release != deployment.release:
        raise NotHealthy(f"release {deployment.release} does not run any more")
    return slot


def _must_stay(workspace: Workspace, deployment: Deployment, judgement: Judgement | None) -> str:
    """Why the release may stay. Raises ReleaseFailed when it may not, after traffic has returned."""
    if judgement is None:
        raise ReleaseFailed(f"release {deployment.release} was taken back: {latest(workspace, deployment).message}")
    if judgement.failed:
        abort(workspace, latest(workspace, deployment), judgement.why, condemn=True)
        raise ReleaseFailed(f"release {deployment.release} was taken back: {judgement.why}. "
                            f"{deployment.replaces or 'Nothing'} serves")
    return judgement.why


def _commit(workspace: Workspace, deployment: Deployment, why: str) -> Deployment:
    if deployment.replaces and not workspace.gateway.release_watch(deployment.id):
        abort(workspace, latest(workspace, deployment), "nobody watched it in time", condemn=False)
        raise ReleaseFailed(f"the watch over release {deployment.release} lapsed: {deployment.replaces} serves")
    after = promotion.record(workspace, deployment, why)
    workspace.progress("stopping the release before")
    return after
