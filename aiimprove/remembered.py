"""What is remembered of a finding: whether an improvement may be made of it now, and if not, why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from aiimprove.finding import Finding
from aiimprove.improvement import OPEN, Improvement, Status
from aiimprove.overlap import one_thing
from aiimprove.rejection import Because, Rejection

UNDER_WAY = frozenset({Status.PROPOSED, Status.GENERATED, Status.VERIFIED, Status.AWAITING_APPROVAL, Status.APPROVED})
"""Statuses in which an improvement keeps others for the same cause from being proposed beside it."""
COUNT = UNDER_WAY | {Status.REJECTED}
"""Statuses of other improvements that decide whether one may be made of a finding."""
_DONE_WITH = frozenset({Status.LIVE, Status.ROLLED_BACK})


def against(finding: Finding, past: Sequence[Improvement], others: Iterable[Improvement], live: str, now: float) -> str:
    """Why no further improvement is to be made of a finding now; empty when one may be.

    `past` are the improvements that were made of it, the newest first; `others` those that COUNT, of any finding;
    `live` is the commit that serves, `now` in seconds since 1970.
    """
    others = list(others)
    return _open(past) or rejected(finding, others, now) or _as_before(past, live) or taken_care_of(finding, others)


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


def refused_approaches(finding: Finding, others: Iterable[Improvement], now: float) -> frozenset[str]:
    """The approaches that a human does not want for this finding."""
    return frozenset(no.approach for _, no in standing(finding, others, now) if no.because is Because.WRONG_APPROACH)


def rejected(finding: Finding, others: Iterable[Improvement], now: float) -> str:
    """Which no stands against the finding, whatever the approach; empty when none does."""
    return next((_words(finding, each, no) for each, no in standing(finding, others, now)
                 if no.because is not Because.WRONG_APPROACH), "")


def remembered(finding: Finding, others: Iterable[Improvement], now: float) -> list[str]:
    """Every no that stands against a finding, in words."""
    return [_words(finding, each, no) for each, no in standing(finding, others, now)]


def standing(finding: Finding, others: Iterable[Improvement], now: float) -> Iterator[tuple[Improvement, Rejection]]:
    """What a human said no to and what still holds against the finding: of itself, and of what is one thing with it,
    unless that hurt clearly less."""
    for each in others:
        no = each.rejection if each.status is Status.REJECTED else None
        if no and no.stands(finding.impact, now) and one_thing(each.finding, finding):
            yield each, no


def _words(finding: Finding, each: Improvement, no: Rejection) -> str:
    return no.words if each.finding.fingerprint == finding.fingerprint else (
        f"{each.id} is about the same and was {no.words}")


def _open(past: Sequence[Improvement]) -> str:
    last = past[0] if past else None
    return f"{last.id} is {last.status}" if last and last.status in OPEN | _DONE_WITH else ""


def _as_before(past: Sequence[Improvement], live: str) -> str:
    last = past[0] if past else None
    if last is None or last.status is Status.REJECTED or last.base_commit != live:
        return ""
    return f"{last.id} is {last.status}; it comes back once live has moved"
