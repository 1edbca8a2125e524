"""The record that a release stays: its deployment is COMMITTED, and its improvements came or went with it."""

from __future__ import annotations

import time

from aiimprove.event import Event
from aiimprove.improvement import Status
from aiimprove.release import Deployment, DeploymentStatus
from aiimprove.workspace import LIVE_COMMIT, LIVE_RELEASE, Workspace


def record(workspace: Workspace, deployment: Deployment, why: str) -> Deployment:
    """Commit a deployment, in one transaction. Raises Stale when another process ended it meanwhile."""
    after = deployment.advance(DeploymentStatus.COMMITTED, why, finished=time.time())
    commit = workspace.store.release(deployment.release).commit
    with workspace.store.transaction():
        workspace.store.put_deployment(deployment, after, workspace.performer)
        workspace.store.set_fact(LIVE_RELEASE, deployment.release)
        workspace.store.set_fact(LIVE_COMMIT, commit)
        _settle_improvements(workspace, deployment)
        workspace.store.append(Event("release.promoted", deployment.release, workspace.performer,
                                     {"replaces": deployment.replaces}))
    return after


def _settle_improvements(workspace: Workspace, deployment: Deployment) -> None:
    moves = [(name, Status.LIVE) for name in deployment.adds] + [(n, Status.ROLLED_BACK) for n in deployment.removes]
    for name, status in moves:
        improvement = workspace.store.improvement(name)
        if improvement.status is not status:
            after = improvement.advance(status, reason=f"with release {deployment.release}")
            workspace.store.put(improvement, after, workspace.performer, after.reason)
