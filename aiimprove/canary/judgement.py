"""The verdict on a release that serves beside, or instead of, the one before it: pure, from what was seen."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from aiimprove.canary import suspicion
from aiimprove.canary.ledger import ALL, ERRORS, TIMES, WRITES, Ledger, Stratum
from aiimprove.canary.sequential import Tally, hardly_more_errors, less_often, more_errors
from aiimprove.evidence import Verdict

FAILED_PROBES = 3
FALSE_ROLLBACK = 0.0005
"""Probability of a false alarm, of the test on errors and of the one on times: 0.1 % for both."""
MISSED = 0.001
"""Probability that one of the two tests calls a bad release good: 0.2 % for both."""
FIRST_GLANCE = 0.05
POINTS = 0.03
_SUSPICIOUS = math.log(10)
_MOST_MISSING = 1e6


@dataclass(frozen=True)
class Judgement:
    """`missing`: about how many more answers of the candidate (visitors' or replayed) a verdict needs; 0 when there
    is one, None when more of the same would not bring one. `suspicious`: something speaks against the release, and not
    yet loudly enough. `on`: what a test has found, ERRORS or TIMES, in `stratum`."""

    verdict: Verdict
    why: str
    missing: int | None = 0
    suspicious: bool = False
    on: str = ""
    stratum: str = ""

    @property
    def failed(self) -> bool:
        return self.verdict is Verdict.FAILED


def judge(ledger: Ledger, failed_probes: int, tolerated: float, missed: float = MISSED) -> Judgement:
    """What is known now. `failed_probes` counts health probes that failed in a row; `tolerated` is the share of
    errors that is nobody's concern; `missed` the probability with which PASSED may be wrong (for each test)."""
    if failed_probes >= FAILED_PROBES:
        return Judgement(Verdict.FAILED, f"its health failed {failed_probes} times in a row")
    errors, times = suspicion.of_errors(ledger, tolerated), suspicion.of_times(ledger)
    for found, words, on in ((errors, _errors, ERRORS), (times, _times, TIMES)):
        if found.evidence >= -math.log(FALSE_ROLLBACK):
            return Judgement(Verdict.FAILED, words(ledger.strata[found.stratum], found.stratum), on=on,
                             stratum=found.stratum)
    for found, words in ((errors, _errors), (times, _times)):
        if found.alone >= _SUSPICIOUS:
            return Judgement(Verdict.INCONCLUSIVE, f"suspicious: {words(ledger.strata[found.stratum], found.stratum)}",
                             None, suspicious=True)
    both = _both_suffer(ledger, tolerated)
    if both:
        return Judgement(Verdict.INCONCLUSIVE, f"suspicious: {both}", None, suspicious=True)
    if _excluded(ledger.strata[ALL], 1.0) >= -math.log(missed):
        return Judgement(Verdict.PASSED, _good(ledger))
    return Judgement(Verdict.INCONCLUSIVE, f"no verdict: {_good(ledger)}", None)


def counted(judgement: Judgement, ledger: Ledger, missed: float = MISSED) -> Judgement:
    """The same, with the number of requests that are missing (which takes a millisecond)."""
    if judgement.verdict is not Verdict.INCONCLUSIVE:
        return judgement
    missing = _missing(ledger.strata[ALL], -math.log(missed))
    return replace(judgement, why=f"{judgement.why}; {_wanted(missing)}", missing=missing)


def _both_suffer(ledger: Ledger, tolerated: float) -> str:
    """What is said when stable answers worse than it did before the candidate came; empty when it does not."""
    stratum = ledger.strata[ALL]
    history, beside = stratum.history, stratum.beside_since(ledger.first(ERRORS))
    if not history.answers or more_errors(beside, history, tolerated) < _SUSPICIOUS:
        return ""
    return (f"the release beside it answers badly too: {beside.errors:g} of {beside.answers:g}, before "
            f"{history.errors:g} of {history.answers:g}")


def _excluded(stratum: Stratum, factor: float) -> float:
    """The evidence against "3 points more errors" and against "slower by half", whichever is less; `factor` times
    as much of the same is supposed."""
    counts = stratum.counts
    return min(_fine(stratum, factor), less_often(counts.much_slower * factor, counts.pairs * factor))


def _fine(stratum: Stratum, factor: float) -> float:
    """The evidence against "3 points more errors" alone."""
    counts = stratum.counts
    candidate, stable = Tally(counts.candidate, counts.candidate_bad), Tally(counts.stable, counts.stable_bad)
    return hardly_more_errors(candidate.times(factor), stable.times(factor) + stratum.history, POINTS)


def _missing(stratum: Stratum, needed: float) -> int | None:
    """Times need far fewer answers than errors do: before any were compared, errors alone say how many."""
    answers, evidence = stratum.counts.candidate, _excluded if stratum.counts.pairs else _fine
    if not answers:
        return None
    low, high = 1.0, _MOST_MISSING / answers
    if high <= low or evidence(stratum, high) < needed:
        return None
    while high / low > 1.01:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if evidence(stratum, middle) >= needed else (middle, high)
    return max(1, math.ceil(answers * (high - 1)))


def _wanted(missing: int | None) -> str:
    return "nobody knows how many requests are missing" if missing is None else f"about {missing} requests are missing"


def _good(ledger: Ledger) -> str:
    counts, writes = ledger.strata[ALL].counts, ledger.strata[WRITES].counts
    return (f"{counts.candidate_bad} of {counts.candidate} answers were bad (beside it {counts.stable_bad} of "
            f"{counts.stable}), {ledger.replayed} replayed, {writes.candidate} of them writes; slower in "
            f"{counts.slower} of {counts.pairs} pairs")


def _errors(stratum: Stratum, name: str) -> str:
    counts, history = stratum.counts, stratum.history
    return (f"{name}: {counts.candidate_bad} of {counts.candidate} answers were bad (beside it {counts.stable_bad} of "
            f"{counts.stable}, before {history.errors:g} of {history.answers:g})")


def _times(stratum: Stratum, name: str) -> str:
    return f"{name}: slower in {stratum.counts.slower} of {stratum.counts.pairs} pairs of answers"
