"""What a deployment left whose process died: it is finished or undone, whichever is safe, and live is as recorded."""

from __future__ import annotations

import logging
import sqlite3

from aiimprove import promotion
from aiimprove.errors import AiimproveError, Locked, NotHealthy
from aiimprove.lock import end_sleepers, held, holder
from aiimprove.release import Deployment, DeploymentStatus, Environment
from aiimprove.way_back import (
    DEPLOY,
    abort,
    healthy_slot,
    in_order,
    keep_serving,
    live_generation,
    serving_slot,
    tidy,
    wait_for_idle_slots,
)
from aiimprove.workspace import LIVE_RELEASE, Workspace

_LOG = logging.getLogger("aiimprove")


def end_unfinished(workspace: Workspace, keep: str = "") -> str:
    """Finish or undo a deployment that nobody looks after any more, whichever is safe, and say which; empty when
    there is none.

    The caller holds the deploy lease; a slot with release `keep` goes on. Raises Locked while somebody watches a
    deployment.
    """
    words = ""
    keep_serving(workspace)
    for deployment in workspace.store.unfinished():
        watcher = holder(workspace.store, f"watch {deployment.id}")
        if watcher is not None:
            raise Locked(f"release {deployment.release} is being watched by process {watcher.process.pid}: wait until "
                         "it is done, or 'aiimprove rollback' takes it back now")
        end_sleepers(workspace.store)
        words = _end(workspace, deployment)
        _LOG.warning("%s", words)
    words = words or _correct(workspace)
    tidy(workspace, keep)
    return words


def _end(workspace: Workspace, deployment: Deployment) -> str:
    """Finish what was proven to its end, or can't be undone because only the new release answers; undo the rest."""
    returned = workspace.gateway.returned()
    why = returned.why if returned and returned.deployment == deployment.id else "whoever did it died"
    if _was_through(workspace, deployment) and _keeps_traffic(workspace, deployment):
        return _finish(workspace, deployment, f"{why} when all but the record was done")
    try:
        abort(workspace, deployment, why, condemn=False)
    except NotHealthy as unhealthy:
        if not _keeps_traffic(workspace, deployment):
            raise
        _LOG.warning("%s", unhealthy)
        return _finish(workspace, deployment, f"{why}, and {deployment.replaces} does not answer any more")
    return f"deployment {deployment.id} was undone: {why}; {deployment.replaces or 'nothing'} serves"


def _finish(workspace: Workspace, deployment: Deployment, why: str) -> str:
    promotion.record(workspace, deployment, why)
    return f"deployment {deployment.id} was finished: {why}; {deployment.release} serves"


def _was_through(workspace: Workspace, deployment: Deployment) -> bool:
    """Whether it got all the traffic, and its watch ended well (then nothing holds it) or was not to be."""
    held = workspace.gateway.held()
    unwatched = deployment.reason == "rollback" or held is None or held.deployment != deployment.id
    return unwatched and deployment.status is DeploymentStatus.WATCHING


def _has_all_traffic(workspace: Workspace, deployment: Deployment) -> bool:
    current, slot = workspace.gateway.current(Environment.LIVE), serving_slot(workspace)
    return (deployment.status is DeploymentStatus.WATCHING and current is not None and not current.candidate_release
            and slot is not None and slot.release == deployment.release)


def _keeps_traffic(workspace: Workspace, deployment: Deployment) -> bool:
    """Whether its release has all the traffic, answers healthily, and keeps it: its watch, if any, is over for good."""
    if not _has_all_traffic(workspace, deployment):
        return False
    try:
        workspace.slots.verify(workspace.slots.running(Environment.LIVE)[deployment.slot])
    except (KeyError, NotHealthy):
        return False
    workspace.gateway.release_watch(deployment.id)
    return _has_all_traffic(workspace, deployment)


def tidy_afterwards(workspace: Workspace) -> None:
    """Finish, undo or tidy up what a deployment of ours leaves, unless somebody is at it, who then does that first.

    What is recorded stands, whatever goes wrong here: the next command tries again. The wait for requests under way
    keeps nobody else from deploying.
    """
    try:
        wait_for_idle_slots(workspace)
        with held(workspace.store, DEPLOY, "stopping what serves nobody"):
            end_unfinished(workspace)
    except (AiimproveError, OSError, sqlite3.Error) as error:
        _LOG.info("not tidied up yet: %s", error)


def _correct(workspace: Workspace) -> str:
    """The store is the truth: visitors go to the release that it names, when the gateway says otherwise."""
    if in_order(workspace):
        return ""
    live, current = str(workspace.store.fact(LIVE_RELEASE)), workspace.gateway.current(Environment.LIVE)
    if current is not None and current.release == live:
        return "a slot that served nobody was stopped"
    slot = healthy_slot(workspace, live)
    workspace.gateway.acknowledge()
    workspace.gateway.switch(Environment.LIVE, live_generation(slot))
    return f"release {live} serves again, as the record says"
