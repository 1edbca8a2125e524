"""Whether a human may be asked: decided from the improvement, its evidence and the limits alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from aiimprove.evidence import Check, Evidence, Verdict
from aiimprove.improvement import Improvement, Status
from aiimprove.settings import Limits

REQUIRED = ("scope", "honesty", "probe", "smoke", "contract", "migration", "speed", "resources", "replay", "rollback",
            "tests", "strength")
"""Checks without which no candidate of an author's is shown to anybody."""
WAY_BACK = "rollback"
REPLAY, TESTS = "replay", "tests"
REPLAYED = "requests replayed"
"""A figure of the replay: 0 when nothing was recorded."""


@dataclass(frozen=True)
class Refusal:
    """Why not: a code for programs and a sentence for people."""

    code: str
    message: str


def refusals(improvement: Improvement, evidence: Evidence | None, limits: Limits, waiting: int) -> list[Refusal]:
    """Everything that speaks against asking for this improvement now; empty when a human may be asked.

    `waiting` counts the requests that are open. Whether the proof still counts is a matter of `freshness`.
    """
    found = list(_about_the_moment(improvement, limits, waiting))
    if evidence is None:
        return [*found, Refusal("no_evidence", f"{improvement.id} was not proven")]
    return [*found, *_about_the_proof(evidence), *_about_the_link(improvement, evidence)]


def outcome(evidence: Evidence) -> Verdict:
    """What the proof comes to: the worst answer of the checks that bind."""
    return replace(evidence, checks=tuple(check for check in evidence.checks if binding(check, evidence))).verdict


def binding(check: Check, evidence: Evidence) -> bool:
    """Whether this answer decides. Where no request was recorded yet, tests that pass are enough. A way back that is
    none is for the human to weigh, and so is one that could not be tried, unless a migration comes with it; that the
    machine failed always counts."""
    if check.name == REPLAY and check.verdict is Verdict.INCONCLUSIVE and not _figure(check, REPLAYED):
        return not any(each.name == TESTS and each.verdict is Verdict.PASSED for each in evidence.checks)
    if check.name != WAY_BACK or check.verdict in (Verdict.PASSED, Verdict.ERRORED):
        return True
    return check.verdict is Verdict.INCONCLUSIVE and _figure(check, "migrations")


def _figure(check: Check, name: str) -> bool:
    """Whether the check measured anything by this name."""
    return any(figure.name == name and figure.after for figure in check.measurements)


def one_way(evidence: Evidence | None) -> str:
    """Why there is no way back from this change, as the proof saw it; empty when nothing is known against it."""
    checks = evidence.checks if evidence else ()
    return next((check.summary for check in checks if check.name == WAY_BACK and check.verdict is Verdict.FAILED), "")


def _about_the_moment(improvement: Improvement, limits: Limits, waiting: int) -> Iterator[Refusal]:
    if improvement.status is not Status.VERIFIED:
        yield Refusal("wrong_status", f"{improvement.id} is {improvement.status}, not {Status.VERIFIED}")
    if waiting >= limits.waiting:
        yield Refusal("too_many_waiting", f"{waiting} improvements wait for an answer already, {limits.waiting} may")


def _about_the_proof(evidence: Evidence) -> Iterator[Refusal]:
    asked = {check.name for check in evidence.checks}
    yield from (Refusal("check_missing", f"the check named {name} was not made")
                for name in REQUIRED if name not in asked)
    yield from (Refusal(f"check_{check.verdict}", f"{check.name} {check.verdict}: {check.summary}")
                for check in evidence.checks if check.verdict is not Verdict.PASSED and binding(check, evidence))


def _about_the_link(improvement: Improvement, evidence: Evidence) -> Iterator[Refusal]:
    """The evidence must be about exactly this candidate, on this base."""
    for code, what, shown, wanted in (
            ("other_commit", "another commit", evidence.candidate_commit, improvement.commit),
            ("other_base", "another live version", evidence.baseline_commit, improvement.base_commit),
            ("other_artifact", "another build", evidence.artifact, improvement.artifact),
            ("other_probe", "another probe", evidence.probe, improvement.finding.probe.digest())):
        if not shown or shown != wanted:
            yield Refusal(code, f"{improvement.id} was proven with {what}")
