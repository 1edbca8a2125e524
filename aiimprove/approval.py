"""request-approval, approve, reject: what a human is asked, and what the answer binds to."""

from __future__ import annotations

import signal
import time

from aiimprove import freshness, gate, pairs
from aiimprove.errors import Refused, Stale
from aiimprove.improvement import Approval, Improvement, Status
from aiimprove.lock import holder
from aiimprove.patience import may_wait
from aiimprove.policy import Refusal, one_way, refusals
from aiimprove.rejection import Because, said
from aiimprove.remembered import taken_care_of
from aiimprove.workspace import Workspace

SAME_CAUSE = "same_cause"


def request(workspace: Workspace, improvement_id: str = "") -> Improvement | None:
    """Ask for the named improvement, or for the next VERIFIED one; None when nothing may be asked now.

    Raises Refused with the policy's reasons when a named one must not be asked, and while the gate is closed. The gate
    is fed first, when that is due.
    """
    if not improvement_id:
        return _next(workspace)
    improvement = workspace.store.improvement(improvement_id)
    if improvement.status is Status.AWAITING_APPROVAL:
        return improvement
    if improvement.status is not Status.VERIFIED:
        raise Refused(f"{improvement.id} is {improvement.status}: only a VERIFIED improvement can be asked for")
    against = _refusals(workspace, improvement)
    if against:
        raise Refused(f"{improvement.id} cannot be asked for: " + "; ".join(each.message for each in against))
    return _ask(workspace, improvement)


def approve(workspace: Workspace, improvement_id: str, digest: str, *, knowing_one_way: bool = False) -> Improvement:
    """Say yes to exactly what `digest` names. Raises Refused, Stale when it names something else by now.

    A change from which there is no way back is refused unless whoever says yes said that it is known.
    """
    improvement = workspace.store.improvement(improvement_id)
    if improvement.status in (Status.APPROVED, Status.LIVE) and improvement.digest == digest:
        return improvement
    _must_wait(improvement, digest, "approved")
    gate.must_be_open(workspace)
    freshness.must_count(workspace, improvement)
    pairs.must_go_with_what_is_approved(workspace, improvement)
    why = one_way(improvement.evidence)
    if why and not knowing_one_way:
        raise Refused(f"{improvement.id} is {why}. Whoever approves it must say so: --one-way, or typed at a terminal")
    known = ", knowing that it is one way" if why else ""
    yes = Approval(workspace.performer, digest, time.time())
    after = improvement.advance(Status.APPROVED, approval=yes, reason=f"approved by {workspace.performer}{known}")
    approved = workspace.store.save(improvement, after, workspace.performer, "approved")
    wake_loop(workspace)
    return approved


def reject(workspace: Workspace, improvement_id: str, digest: str, reason: str,
           because: Because = Because.NOT_WANTED) -> Improvement:
    """Say no, with a reason that is remembered. `because` decides what would bring the same idea back."""
    improvement = workspace.store.improvement(improvement_id)
    if improvement.status is Status.REJECTED:
        return improvement
    if improvement.status is not Status.APPROVED:
        _must_wait(improvement, digest, "rejected")
    words = reason.strip() or "no reason given"
    no = said(workspace.performer, because, improvement.finding.impact, improvement.approach or improvement.author,
              workspace.config.rejections)
    after = improvement.advance(Status.REJECTED, reason=words, approval=None, rejection=no)
    rejected = workspace.store.save(improvement, after, workspace.performer, words)
    wake_loop(workspace)
    return rejected


def expire(workspace: Workspace) -> list[Improvement]:
    """Requests that were not answered in time end as EXPIRED."""
    oldest = time.time() - workspace.config.limits.answer_days * 86400
    late = [each for each in workspace.store.improvements({Status.AWAITING_APPROVAL})
            if (each.asked or each.updated) < oldest]
    return [workspace.store.save(each, each.advance(Status.EXPIRED, reason="not answered in time"),
                                 workspace.performer, "not answered in time") for each in late]


def wake_loop(workspace: Workspace) -> None:
    """Tell a running `run` that there is something to do now."""
    loop = holder(workspace.store, "run")
    if loop is not None:
        loop.process.signal(signal.SIGUSR1)


def _next(workspace: Workspace) -> Improvement | None:
    if len(workspace.store.improvements({Status.AWAITING_APPROVAL})) >= may_wait(workspace):
        return None
    for improvement in workspace.store.improvements({Status.VERIFIED}):
        against = {each.code: each.message for each in _refusals(workspace, improvement)}
        if not against:
            return _ask(workspace, improvement)
        if same := against.get(SAME_CAUSE):
            workspace.store.save(improvement, improvement.advance(Status.SUPERSEDED, reason=same), workspace.performer,
                                 same)
    return None


def _ask(workspace: Workspace, improvement: Improvement) -> Improvement:
    gate.feed(workspace)
    gate.must_be_open(workspace)
    after = improvement.advance(Status.AWAITING_APPROVAL, reason="waits for an answer",
                                asked=improvement.asked or time.time())
    return workspace.store.save(improvement, after, workspace.performer, "asked for")


def _refusals(workspace: Workspace, improvement: Improvement) -> list[Refusal]:
    waiting = len(workspace.store.improvements({Status.AWAITING_APPROVAL}))
    found = list(refusals(improvement, improvement.evidence, workspace.config.limits, waiting))
    if why := freshness.lapsed(workspace, improvement):
        found.append(Refusal("stale", f"{why}: 'aiimprove run --once' proves it again"))
    asked = workspace.store.improvements({Status.AWAITING_APPROVAL, Status.APPROVED})
    if same := taken_care_of(improvement.finding, asked):
        found.append(Refusal(SAME_CAUSE, same))
    return found


def _must_wait(improvement: Improvement, digest: str, verb: str) -> None:
    if improvement.status is not Status.AWAITING_APPROVAL:
        raise Refused(f"{improvement.id} is {improvement.status}: only one that waits for an answer can be {verb}")
    if digest != improvement.digest:
        raise Stale(f"{improvement.id} is not what was shown: look at it again ('aiimprove show {improvement.id}')")
