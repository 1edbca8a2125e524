"""What is kept and for how long: releases, artifacts and dependencies that nothing can need any more are removed."""

from __future__ import annotations

from aiimprove import assets, build
from aiimprove.improvement import OPEN
from aiimprove.lock import holder
from aiimprove.release import DeploymentStatus
from aiimprove.workspace import DEV_RELEASE, LIVE_RELEASE, Workspace

_LOOKED_BACK = 200
BUSY = ("improvement ", "proof ", "deploy", "watch ", "system", "analyze", "dev")


def prune(workspace: Workspace) -> list[str]:
    """Remove releases beyond `limits.releases`, never one that serves, waits, or that a rollback could need.

    Does nothing while anything is being proven or deployed: that may use a release that no record names yet.
    """
    assets.prune(workspace.config, [workspace.live()] if workspace.store.fact(LIVE_RELEASE) else [])
    return build.prune(workspace.config, lambda: None if busy(workspace) else needed(workspace))


def busy(workspace: Workspace) -> bool:
    """Whether anybody is at work that may use what no record names yet."""
    return any(name.startswith(BUSY) and holder(workspace.store, name) for name in _leases(workspace))


def _leases(workspace: Workspace) -> list[str]:
    return [name for (name,) in workspace.store.connection.execute("SELECT name FROM leases WHERE until > 0")]


def needed(workspace: Workspace) -> set[str]:
    """Live, dev, what open improvements were built as, what is being deployed, and the last releases that served."""
    store = workspace.store
    names = {str(store.fact(LIVE_RELEASE) or ""), str(store.fact(DEV_RELEASE) or "")}
    names |= {each.release for each in store.improvements(OPEN)}
    names |= {name for each in store.unfinished() for name in (each.release, each.replaces)}
    served = store.deployments(DeploymentStatus.COMMITTED, limit=_LOOKED_BACK)
    names |= {name for each in served[:1] for name in (each.release, each.replaces)}
    past = list(dict.fromkeys(name for each in served for name in (each.release, each.replaces) if name))
    return (names | set(past[:workspace.config.limits.releases])) - {""}
