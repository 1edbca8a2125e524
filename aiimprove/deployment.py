"""deploy and rollback: which release goes live, and whether it may."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from aiimprove import build, disk, freshness, gate, recording, restoring, retention
from aiimprove.errors import NotFound, Refused, ReleaseFailed, Stale, VerificationFailed
from aiimprove.evidence import Verdict
from aiimprove.improvement import Improvement, Status
from aiimprove.lock import held, holder
from aiimprove.proving import CLONES, Case, prove
from aiimprove.release import Deployment, DeploymentStatus, Environment, Release
from aiimprove.rollout import Order, put_live
from aiimprove.unfinished import end_unfinished
from aiimprove.way_back import DEPLOY, abort, tidy, wait_for_idle_slots
from aiimprove.workspace import Workspace

_DEPLOY_CLONES = 2
"""Copies of live's data: one to try migrations on, one as backup."""


@dataclass(frozen=True)
class Plan:
    """What a deploy or a rollback would do. `done`: it is so already. `what` names it for a person."""

    what: str
    release: str = ""
    commit: str = ""
    improvement: str = ""
    reason: str = "deploy"
    removes: tuple[str, ...] = ()
    takes_back: str = ""
    present_env: bool = False
    done: bool = False


def plan(workspace: Workspace, target: str = "") -> Plan | None:
    """What `deploy` would do: the named improvement or commit, else the next approved improvement, else nothing."""
    live = workspace.live()
    if not target:
        approved = workspace.store.improvements({Status.APPROVED})
        current = [each for each in approved if not freshness.lapsed(workspace, each)] or approved
        return _of_improvement(current[0]) if current else None
    try:
        return _of_improvement(workspace.store.improvement(target))
    except NotFound:
        commit = workspace.repository.resolve(target)
    if commit == live.commit:
        fresh = build.changed(workspace.config, live)
        words = f"the present {', '.join(fresh)} with commit {commit[:12]}"
        return Plan(words if fresh else target, commit=commit, done=not fresh)
    if not workspace.repository.is_ancestor(live.commit, commit):
        raise Refused(f"{target} lacks what is live ({live.commit[:12]}): 'git merge aiimprove/live' first")
    return Plan(f"commit {commit[:12]} ({workspace.repository.subject(commit)})", commit=commit)


def deploy(workspace: Workspace, wanted: Plan, accept: Sequence[str] = ()) -> Deployment:
    """Carry a plan out. Raises Stale, VerificationFailed, ReleaseFailed (the one before serves), Locked."""
    _must_be_up(workspace)
    _must_fit(workspace, wanted)
    if wanted.improvement:
        improvement = workspace.store.improvement(wanted.improvement)
        release = _approved_release(workspace, improvement)
        done = _put(workspace, improvement, Order(release, adds=(improvement.id,)))
        retention.prune(workspace)
        return done
    with held(workspace.store, f"proof {wanted.commit[:12]}", "proving a commit of yours"):
        release = build.build(workspace.config, workspace.repository, wanted.commit, workspace.box, workspace.progress,
                              trusted=True)
        _prove(workspace, release, accept)
        done = put_live(workspace, Order(release, adds=_merged(workspace, wanted.commit)))
    retention.prune(workspace)
    return done


def first(workspace: Workspace) -> Deployment:
    """Put the commit of HEAD live where nothing is live yet. What serves already stays when its record was lost."""
    serving = workspace.gateway.current(Environment.LIVE)
    if serving is not None and serving.release:
        with suppress(NotFound):
            return put_live(workspace, Order(build.load(workspace.config, serving.release), reason="first"))
    commit = workspace.repository.resolve("HEAD")
    workspace.progress(f"building {commit[:12]}")
    release = build.build(workspace.config, workspace.repository, commit, workspace.box, workspace.progress,
                          trusted=True)
    return put_live(workspace, Order(release, reason="first"))


def plan_rollback(workspace: Workspace, to: str = "", *, present_env: bool = False) -> Plan:
    """What `rollback` would do: take back a deployment that is being watched, else return to the release before.

    The release comes back with the settings and the env file that it had; with `present_env` it gets today's.
    """
    live = workspace.live()
    watched = next(iter(workspace.store.unfinished()), None)
    if watched is not None and watched.reason != "rollback" and not to:
        return Plan(f"release {watched.replaces}", watched.replaces, takes_back=watched.id)
    target = to or _before(workspace)
    if target in ("", live.id):
        return Plan(f"release {live.id}", live.id, done=True)
    release = build.load(workspace.config, target)
    if to:
        _must_not_be_a_candidate(workspace, to)
    removes = tuple(each.id for each in workspace.store.improvements({Status.LIVE})
                    if not workspace.repository.is_ancestor(each.commit, release.commit))
    return Plan(f"release {target}", target, release.commit, reason="rollback", removes=removes,
                present_env=present_env)


def _must_not_be_a_candidate(workspace: Workspace, release: str) -> None:
    """A way back is no way around an approval: a release that was made of an improvement must have been approved."""
    approved = {Status.APPROVED, Status.LIVE, Status.ROLLED_BACK}
    made_of = [each for each in workspace.store.improvements() if each.release == release]
    if made_of and not any(each.status in approved for each in made_of):
        raise Refused(f"release {release} is {made_of[0].id}, which is {made_of[0].status} and was never approved")


def rollback(workspace: Workspace, wanted: Plan) -> Deployment:
    """Carry a rollback out. Rows written meanwhile stay."""
    _must_be_up(workspace)
    if wanted.takes_back:
        return _take_back(workspace, wanted)
    release = build.load(workspace.config, wanted.release)
    if wanted.present_env:
        release = build.renewed(workspace.config, release)
    return put_live(workspace, Order(release, reason=wanted.reason, removes=wanted.removes))


def settle(workspace: Workspace) -> str:
    """Finish or undo what a deployment left whose process died; empty when there was nothing, or somebody is at it."""
    if holder(workspace.store, DEPLOY) is not None:
        return ""
    if any(holder(workspace.store, f"watch {each.id}") for each in workspace.store.unfinished()):
        return ""
    wait_for_idle_slots(workspace)
    with held(workspace.store, DEPLOY, "settling what was left"):
        return restoring.finish(workspace) or end_unfinished(workspace)


def _must_be_up(workspace: Workspace) -> None:
    if not workspace.gateway.running():
        raise Refused("nothing runs: 'aiimprove up' starts what is live, then repeat this")


def _must_fit(workspace: Workspace, wanted: Plan) -> None:
    """Before anything is started: what it takes at its largest moment. A rollback is never refused for this."""
    data = disk.live_data(workspace.config)
    disk.must_fit(workspace.config, f"the deploy of {wanted.what}",
                  data * (_DEPLOY_CLONES if wanted.improvement else max(CLONES, _DEPLOY_CLONES)))


def _of_improvement(improvement: Improvement) -> Plan:
    if improvement.status is Status.LIVE:
        return Plan(improvement.title, improvement=improvement.id, done=True)
    if improvement.status is not Status.APPROVED:
        raise Refused(f"{improvement.id} is {improvement.status}: only an APPROVED improvement can be deployed")
    return Plan(f"'{improvement.title}' ({improvement.id})", improvement.release, improvement.commit, improvement.id)


def _approved_release(workspace: Workspace, improvement: Improvement) -> Release:
    """The very artifact that was proven and approved. Raises Stale when anything of it moved."""
    approval = improvement.approval
    if approval is None or approval.digest != improvement.digest:
        raise Stale(f"{improvement.id} was not approved as it is now")
    gate.must_be_open(workspace)
    freshness.must_count(workspace, improvement)
    release = build.load(workspace.config, improvement.release)
    workspace.progress("checking that the artifact is the one that was proven")
    if release.artifact != improvement.artifact:
        raise Stale(f"the artifact of {improvement.id} is not the one that was proven any more")
    build.verify(workspace.config, release)
    return release


def _put(workspace: Workspace, improvement: Improvement, order: Order) -> Deployment:
    """Put it live; one whose deployment was interrupted again and again is given up."""
    limit = workspace.config.limits.attempts
    if improvement.attempts >= limit:
        why = f"its deployment was interrupted {limit} times"
        workspace.store.save(improvement, improvement.advance(Status.ROLLED_BACK, reason=why), workspace.performer, why)
        raise ReleaseFailed(f"{improvement.id}: {why}")
    return put_live(workspace, order)


def _prove(workspace: Workspace, release: Release, accept: Sequence[str]) -> None:
    """The proof of a commit of the human's own: all that improvements must pass, but for the probe and the scope."""
    work = workspace.work(f"proof-{release.id}")
    try:
        evidence = prove(Case(workspace.config, workspace.repository, None, workspace.live(), release,
                              workspace.data("live"), work, workspace.box, workspace.progress,
                              traffic=recording.recent(workspace.config)))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    bad = [check for check in evidence.checks if check.name not in accept
           and check.verdict in (Verdict.FAILED, Verdict.ERRORED)]
    if bad:
        raise VerificationFailed("; ".join(f"{check.name}: {check.summary}" for check in bad)
                                 + f". Nothing was shipped ('--accept {bad[0].name}' ships it all the same)")


def _merged(workspace: Workspace, commit: str) -> tuple[str, ...]:
    """Approved improvements that a commit of the human's contains already."""
    return tuple(each.id for each in workspace.store.improvements({Status.APPROVED})
                 if workspace.repository.is_ancestor(each.commit, commit))


def _before(workspace: Workspace) -> str:
    """The release that the last deployment replaced; empty when that was a rollback already."""
    committed = workspace.store.deployments(DeploymentStatus.COMMITTED, limit=1)
    if not committed or committed[0].reason == "rollback":
        return ""
    if not committed[0].replaces:
        raise Refused("there is no release before the one that is live")
    return committed[0].replaces


def _take_back(workspace: Workspace, wanted: Plan) -> Deployment:
    with held(workspace.store, DEPLOY, f"taking back {wanted.takes_back}"):
        deployment = workspace.store.deployment(wanted.takes_back)
        if deployment.ended:
            return deployment
        taken = abort(workspace, deployment, f"rolled back by {workspace.performer}", condemn=True)
        tidy(workspace)
        return taken
