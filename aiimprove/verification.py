"""test: build the candidate beside what is live, run every check, and keep the evidence."""

from __future__ import annotations

import hashlib
import shutil

from aiimprove import build, disk, freshness, recording, retention
from aiimprove.checks import scope
from aiimprove.errors import AiimproveError, BuildFailed, NoRoom, Refused
from aiimprove.evidence import Check, Evidence, Verdict
from aiimprove.finding import Finding, digest_of
from aiimprove.improvement import Improvement, Status
from aiimprove.lock import held
from aiimprove.policy import binding, one_way, outcome
from aiimprove.proving import CLONES, Case, judge_digest, prove
from aiimprove.release import Release
from aiimprove.workspace import Workspace

_OUTCOME = {Verdict.PASSED: Status.VERIFIED, Verdict.FAILED: Status.FAILED, Verdict.INCONCLUSIVE: Status.UNPROVEN}


def due(workspace: Workspace, release: Release) -> Improvement | None:
    """What `test` would take next: what is GENERATED on top of what is live, then what must be proven again."""
    ready = [each for each in workspace.store.improvements({Status.GENERATED}) if each.base_commit == release.commit]
    return ready[0] if ready else freshness.due(workspace)


def verify(workspace: Workspace, improvement_id: str = "") -> Improvement | None:
    """Prove the named improvement, or the next one that is due; None when nothing is.

    Raises Refused for a status that has nothing to prove, NotFound, Locked.
    """
    live = workspace.live()
    improvement = workspace.store.improvement(improvement_id) if improvement_id else due(workspace, live)
    if improvement is None or _counts(workspace, improvement):
        return improvement
    if improvement.status not in (Status.GENERATED, Status.UNPROVEN, *freshness.PROVEN):
        raise Refused(f"{improvement.id} is {improvement.status}: only a GENERATED improvement can be tested")
    if improvement.base_commit != live.commit:
        raise Refused(f"{improvement.id} was written for an earlier live version: 'aiimprove generate "
                      f"{improvement.id}' carries it over")
    disk.must_fit(workspace.config, f"the proof of {improvement.id}", disk.live_data(workspace.config) * CLONES)
    with held(workspace.store, f"improvement {improvement.id}", "proving it"):
        improvement = workspace.store.improvement(improvement.id)
        if not _counts(workspace, improvement):
            improvement = _verify(workspace, _again(workspace, improvement), live)
    retention.prune(workspace)
    return improvement


def _counts(workspace: Workspace, improvement: Improvement) -> bool:
    return improvement.status in freshness.PROVEN and not freshness.lapsed(workspace, improvement)


def _again(workspace: Workspace, improvement: Improvement) -> Improvement:
    if improvement.status is Status.GENERATED:
        return improvement
    if improvement.status in freshness.PROVEN:
        return freshness.take_back(workspace, improvement)
    after = improvement.advance(Status.GENERATED, reason="tested again")
    return workspace.store.save(improvement, after, workspace.performer)


def _verify(workspace: Workspace, improvement: Improvement, live: Release) -> Improvement:
    work = workspace.work(improvement.id)
    scoped = scope.judge(workspace.repository, workspace.config, live.commit, improvement.commit, improvement.finding)
    if scoped.verdict is Verdict.FAILED:  # before its build: that would install what it asks for
        return _unfit(workspace, improvement, scoped, f"scope: {scoped.summary}")
    recording.read(workspace.config)
    try:
        candidate = _build(workspace, improvement)
        evidence = prove(Case(workspace.config, workspace.repository, improvement.finding, live, candidate,
                              workspace.data("live"), work / "proof", workspace.box, workspace.progress,
                              traffic=recording.recent(workspace.config), others=_others(workspace, improvement)))
    except NoRoom:
        raise  # the machine's, not the candidate's: it is tried again when there is room
    except BuildFailed as failed:
        check = Check("build", Verdict.FAILED, str(failed))
        return _unfit(workspace, improvement, check, f"it does not build: {failed}")
    except AiimproveError as error:
        return _errored(workspace, improvement, str(error))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if outcome(evidence) is Verdict.ERRORED:
        return _errored(workspace, improvement, _words(evidence, Verdict.ERRORED))
    return _judged(workspace, improvement, candidate, evidence)


def _others(workspace: Workspace, improvement: Improvement) -> tuple[Finding, ...]:
    """What else the last look found, the largest impact first."""
    return tuple(each for each in workspace.store.findings() if each.fingerprint != improvement.finding.fingerprint)


def _build(workspace: Workspace, improvement: Improvement) -> Release:
    workspace.progress(f"building {improvement.id}")
    release = build.build(workspace.config, workspace.repository, improvement.commit, workspace.box,
                          workspace.progress)
    workspace.store.add_release(release)
    return release


def _judged(workspace: Workspace, improvement: Improvement, candidate: Release, evidence: Evidence) -> Improvement:
    found = outcome(evidence)
    status = _OUTCOME[found]
    reason = _words(evidence, found) if found is not Verdict.PASSED else one_way(evidence) or "every check passed"
    after = improvement.advance(status, evidence=evidence, release=candidate.id, artifact=candidate.artifact,
                                attempts=0, reason=reason, digest=approval_digest(workspace, improvement, candidate))
    return workspace.store.save(improvement, after, workspace.performer, reason)


def approval_digest(workspace: Workspace, improvement: Improvement, candidate: Release) -> str:
    """What an approval names: patch bytes, base tree, judge, probe and artifact. One changed byte and it differs."""
    return digest_of([hashlib.sha256(improvement.patch.encode("utf-8", "surrogateescape")).hexdigest(),
                      workspace.repository.tree(improvement.base_commit), judge_digest(workspace.config),
                      improvement.finding.probe.digest(), candidate.artifact])


def _unfit(workspace: Workspace, improvement: Improvement, check: Check, reason: str) -> Improvement:
    """FAILED by what one look tells, without a proof."""
    evidence = Evidence(improvement.base_commit, improvement.commit, (check,))
    after = improvement.advance(Status.FAILED, evidence=evidence, reason=reason)
    return workspace.store.save(improvement, after, workspace.performer, after.reason)


def _errored(workspace: Workspace, improvement: Improvement, message: str) -> Improvement:
    """The infrastructure failed: tried again later, and UNPROVEN (never FAILED) when that does not help."""
    attempts = improvement.attempts + 1
    if attempts < workspace.config.limits.attempts:
        after = improvement.note(attempts=attempts, reason=f"could not be proven: {message}")
    else:
        after = improvement.advance(Status.UNPROVEN, attempts=attempts, reason=f"could not be proven: {message}")
    return workspace.store.save(improvement, after, workspace.performer, after.reason)


def _words(evidence: Evidence, verdict: Verdict) -> str:
    return "; ".join(f"{check.name}: {check.summary}" for check in evidence.checks
                     if check.verdict is verdict and binding(check, evidence))
