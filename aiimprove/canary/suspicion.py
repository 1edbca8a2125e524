"""What speaks against a candidate: one e-process for errors and one for times, each an average over strata and over
the moments at which it may have begun to be worse.

An average of e-processes is one (Vovk, Wang, "E-values: calibration, combination and applications", Annals of
Statistics 2021), so that the error probability is shared among routes and windows without a correction. The windows
are what finds a release that was good at first (Shin, Ramdas, Rinaldo, "E-detectors", 2022, with weights that sum
to one).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from aiimprove.canary.ledger import ALL, BROKEN_OFF, ERRORS, MOST_ROUTES, TIMES, WRITES, Ledger, Stratum
from aiimprove.canary.sequential import NOTHING, Tally, more_errors, more_often

_LEAST = 2
_WEIGHTS = {ALL: 0.4, WRITES: 0.1, BROKEN_OFF: 0.1}
_ROUTES = 0.4


@dataclass(frozen=True)
class Suspicion:
    """The logarithm of the evidence in all, and what the stratum that adds most to it says, with its own evidence."""

    evidence: float = NOTHING
    stratum: str = ""
    alone: float = NOTHING


def of_errors(ledger: Ledger, tolerated: float) -> Suspicion:
    return _averaged(ledger, ERRORS, lambda stratum: _total(_errors(stratum, ledger.open[ERRORS], tolerated)))


def of_times(ledger: Ledger) -> Suspicion:
    return _averaged(ledger, TIMES, lambda stratum: _total(_times(stratum, ledger.open[TIMES])))


def _averaged(ledger: Ledger, test: str, evidence: Callable[[Stratum], float]) -> Suspicion:
    worst, parts = Suspicion(), []
    for name, stratum in ledger.strata.items():
        alone = evidence(stratum)
        if alone == NOTHING:
            continue
        share = _WEIGHTS.get(name, _ROUTES / MOST_ROUTES) / 2 ** (ledger.epochs[test] + 1)
        parts.append(alone + math.log(share))
        if parts[-1] > worst.evidence:
            worst = Suspicion(parts[-1], name, alone)
    return Suspicion(_total(parts), worst.stratum, worst.alone)


def _errors(stratum: Stratum, windows: Sequence[int], tolerated: float) -> Iterator[float]:
    counts = stratum.counts
    if counts.candidate_bad < _LEAST:
        return
    for number in windows:
        candidate, bad, _, _, _, _ = stratum.starts[number]
        since = Tally(counts.candidate - candidate, counts.candidate_bad - bad)
        if since.errors >= _LEAST:
            yield _weight(number - windows[0]) + _compared(since, stratum.beside_since(number), stratum.history,
                                                           tolerated)


def _compared(candidate: Tally, beside: Tally, history: Tally, tolerated: float) -> float:
    """Against stable beside it and before; once both suffer at the same time, only what is beside it counts."""
    evidence = more_errors(candidate, beside + history, tolerated)
    if beside.errors and evidence > 0:
        return min(evidence, more_errors(candidate, beside, tolerated))
    return evidence


def _times(stratum: Stratum, windows: Sequence[int]) -> Iterator[float]:
    counts = stratum.counts
    for number in windows:
        pairs, slower = counts.pairs - stratum.starts[number][4], counts.slower - stratum.starts[number][5]
        if 2 * slower > pairs and (evidence := more_often(slower, pairs)) > NOTHING:
            yield _weight(number - windows[0]) + evidence


def _weight(number: int) -> float:
    return -math.log((number + 1) * (number + 2))


def _total(logarithms: Iterable[float]) -> float:
    found = list(logarithms)
    most = max(found, default=NOTHING)
    return most if most == NOTHING else most + math.log(sum(math.exp(each - most) for each in found))
