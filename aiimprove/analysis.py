"""analyze: look at a private copy of what is live, remember what was found, and propose the new of it."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import dataclass

from aiimprove import disk, looked, recording
from aiimprove.authors import can_write
from aiimprove.detectors import RECORDED, Subject, instrument, look_all
from aiimprove.finding import Finding
from aiimprove.improvement import OPEN, Improvement, Status
from aiimprove.lock import held
from aiimprove.proving import running_copy
from aiimprove.release import Release
from aiimprove.remembered import COUNT, against, refused_approaches, taken_care_of
from aiimprove.workspace import Workspace

ANALYZED, MISSED = "analyzed_commit", "missed_findings"
_UNDECIDED = frozenset({Status.PROPOSED, Status.NEEDS_AUTHOR, Status.GENERATED, Status.UNPROVEN})


@dataclass(frozen=True)
class Analysis:
    """What one look gave: all findings by impact, the improvements made of new ones, the detectors that failed."""

    findings: tuple[Finding, ...]
    proposed: tuple[Improvement, ...]
    failed_detectors: tuple[str, ...]


def analyze(workspace: Workspace) -> Analysis:
    """Look once. Raises Refused when nothing is live, Locked when another look is under way."""
    release = workspace.live()
    disk.must_fit(workspace.config, "a private copy of live", disk.live_data(workspace.config))
    with held(workspace.store, "analyze", "looking for findings"):
        seen = looked.now(workspace)
        findings, failed = _look(workspace, release)
        workspace.store.record_findings(findings, release.commit, keep=failed)
        _supersede(workspace, release, set(failed))
        proposed = [made for finding in findings if (made := _propose(workspace, finding, release))]
        workspace.store.set_fact(ANALYZED, release.commit)
        looked.note(workspace, seen)
    return Analysis(tuple(findings), tuple(proposed), tuple(failed))


def _look(workspace: Workspace, release: Release) -> tuple[list[Finding], list[str]]:
    config, work = workspace.config, workspace.work("analyze")
    shutil.rmtree(work)
    source = work / "source"
    workspace.progress("starting a private copy of live")
    workspace.repository.export(release.commit, source)
    logs = {name: config.logs_folder / f"live_{name}.log" for name in config.services}
    with running_copy(config, release, workspace.data("live"), work / "copy", workspace.box,
                      env=instrument(config, work / "recorder")) as copy:
        workspace.progress("looking for findings")
        subject = Subject(config, copy, source, logs, copy.data / RECORDED, recording.recent(config))
        return look_all(subject, config.detectors)


def _supersede(workspace: Workspace, release: Release, failed: set[str]) -> None:
    """Drop what is not to be seen any more: at two looks in a row, since one that measures times may miss once, or
    at the first after live moved. What waits for an answer is dropped only when live moved."""
    present = {finding.fingerprint for finding in workspace.store.findings()}
    moved = workspace.store.fact(ANALYZED) != release.commit
    missed_before = set(workspace.store.fact(MISSED) or ())
    missing = [each for each in workspace.store.improvements(OPEN)
               if each.finding.fingerprint not in present and each.finding.detector not in failed]
    for improvement in missing:
        gone = moved or improvement.finding.fingerprint in missed_before
        if gone and (improvement.status in _UNDECIDED or improvement.base_commit != release.commit):
            workspace.store.save(improvement, improvement.advance(Status.SUPERSEDED, reason="the finding is gone"),
                                 workspace.performer, "the finding is gone")
    workspace.store.set_fact(MISSED, [each.finding.fingerprint for each in missing])


def _propose(workspace: Workspace, finding: Finding, release: Release) -> Improvement | None:
    store, now = workspace.store, time.time()
    past, others = store.of_finding(finding.fingerprint), store.improvements(COUNT)
    refused = refused_approaches(finding, others, now)
    writable = can_write(workspace.config.author, finding, refused)
    if past and past[0].status is Status.NEEDS_AUTHOR and past[0].base_commit != release.commit:
        ready = writable and not taken_care_of(finding, others)
        return _try_again(workspace, past[0], finding) if ready else None
    if against(finding, past, others, release.commit, now) or (refused and not writable):
        return None
    name = re.sub(r"[^a-z0-9]+", "-", finding.cause.lower()).strip("-")[:40]
    identity = f"{name}-{finding.fingerprint[:6]}" + (f"-{len(past) + 1}" if past else "")
    status = Status.PROPOSED if writable else Status.NEEDS_AUTHOR
    return store.add(Improvement(identity, finding, status), workspace.performer)


def _try_again(workspace: Workspace, declined: Improvement, finding: Finding) -> Improvement:
    """What nobody could write for an earlier live version, or an earlier author, may be writable now."""
    again = declined.advance(Status.PROPOSED, finding=finding, reason="tried again: live has moved")
    return workspace.store.save(declined, again, workspace.performer, again.reason)
