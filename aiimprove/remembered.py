"""What is remembered of a finding: whether an improvement may be made of it now, and if not, why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from aiimprove.finding import Finding
from aiimprove.improvement import OPEN, Improvement, Status
from aiimprove.overlap import one_thing
from aiimprove.rejection import Because, Rejection

UNDER_WAY = frozenset({Status.PROPOSED, Status.GENERATED, Status.VERIFIED, Status.AWAITING_APPROVAL, Status.APPROVED})
"""Statuses in which an improvement keeps others for the same cause from being proposed beside it."""
_DONE_WITH = frozenset({Status.LIVE, Status.ROLLED_BACK})


def against(finding: Finding, past: Sequence[Improvement], others: Iterable[Improvement], live: str, now: float) -> str:
    """Why no further improvement is to be made of a finding now; empty when one may be.

    `past` are the improvements that were made of it, the newest first; `others` those under way, of any finding;
    `live` is the commit that serves, `now` in seconds since 1970.
    """
    return _by_its_past(finding, past, live, now) or taken_care_of(finding, others)


def taken_care_of(finding: Finding, others: Iterable[Improvement]) -> str:
    """Which improvement of another finding, among `others`, is about the same; empty when none is."""
    for each in others:
        if each.finding.fingerprint == finding.fingerprint or each.status not in UNDER_WAY:
            continue
        if each.evidence and finding.fingerprint in each.evidence.also:
            return f"{each.id} mends it too"
        if same := one_thing(each.finding, finding):
            return f"{each.id} is about the same: {same}"
    return ""


def refused_approaches(finding: Finding, past: Iterable[Improvement], now: float) -> frozenset[str]:
    """The approaches that a human does not want for this finding."""
    return frozenset(no.approach for no in standing(finding, past, now) if no.because is Because.WRONG_APPROACH)


def standing(finding: Finding, past: Iterable[Improvement], now: float) -> Iterator[Rejection]:
    """What a human said no to and what still holds against the finding, the newest first."""
    for each in past:
        if each.rejection and each.status is Status.REJECTED and each.rejection.stands(finding.impact, now):
            yield each.rejection


def _by_its_past(finding: Finding, past: Sequence[Improvement], live: str, now: float) -> str:
    if not past:
        return ""
    last = past[0]
    if last.status in OPEN or last.status in _DONE_WITH:
        return f"{last.id} is {last.status}"
    for no in standing(finding, past, now):
        if no.because is not Because.WRONG_APPROACH:
            return no.words
    if last.status is Status.REJECTED or last.base_commit != live:
        return ""
    return f"{last.id} is {last.status}; it comes back once live has moved"
