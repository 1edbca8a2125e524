"""The control before a release is taken back: the same reads to both releases, now.

A database that is away, or a machine that does other things, hits both. Counts of visitors cannot tell that from a
fault when all visitors are on one side; pairs of the same moment can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiimprove.canary.judgement import ERRORS, TIMES, Judgement
from aiimprove.canary.ledger import Ledger, slower

PAIRS, SECONDS = 20, 2.0
_TOO_MANY, _MOSTLY = 2, 0.6


@dataclass(frozen=True)
class Pair:
    """What the candidate and stable answered, in this order: whether it was bad, and its seconds."""

    bad: tuple[bool, bool]
    seconds: tuple[float, float]


def set_aside(ledger: Ledger, judgement: Judgement, pairs: Sequence[Pair], at: float, *, promoted: bool) -> bool:
    """After the pairs were counted: whether what spoke against the candidate is set aside.

    So are errors while stable answers badly as well; and, after the promotion, times that are not longer in most pairs
    of now: before, visitors' answers of the same moment were compared already.
    """
    good = [each.seconds for each in pairs if not any(each.bad)]
    away = judgement.on == ERRORS and sum(each.bad[1] for each in pairs) >= _TOO_MANY
    busy = judgement.on == TIMES and promoted and good and sum(slower(*each) for each in good) < _MOSTLY * len(good)
    if away or busy:
        ledger.begin_epoch(at)
    return bool(away or busy)
