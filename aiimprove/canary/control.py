"""The control before a release is taken back: the same reads to both releases, now.

A database that is away, or a machine that does other things, hits both. Counts of visitors cannot tell that from a
fault when all visitors are on one side; pairs of the same moment can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiimprove.canary.judgement import Judgement
from aiimprove.canary.ledger import ERRORS, Ledger, slower

PAIRS, SECONDS = 20, 2.0
_TOO_MANY, _MOSTLY = 2, 0.75


@dataclass(frozen=True)
class Pair:
    """What the candidate and stable answered, in this order: whether it was bad, and its seconds."""

    route: str
    bad: tuple[bool, bool]
    seconds: tuple[float, float]


def set_aside(ledger: Ledger, judgement: Judgement, pairs: Sequence[Pair], at: float, *, promoted: bool,
              idle: bool) -> bool:
    """After the pairs were counted: whether what spoke against the candidate is set aside.

    So are errors while stable answers badly as well. In a canary times of the same minutes were compared; those of a
    `promoted` release were compared with what stable took before, and are set aside while stable takes longer than it
    used to: unless both are `idle`, so that these pairs can be compared, and the candidate is slower in most of them.
    """
    if judgement.on == ERRORS:
        aside = sum(each.bad[1] for each in pairs) >= _TOO_MANY
    else:
        aside = promoted and _slow_now(ledger, pairs) and not (idle and _slower_now(pairs))
    if aside:
        ledger.begin_epoch(at, judgement.on)
    return aside


def _slow_now(ledger: Ledger, pairs: Sequence[Pair]) -> bool:
    """Whether most of stable's good answers took longer than is usual on their route."""
    usual = [(each.seconds[1], ledger.usual_seconds(each.route)) for each in pairs if not each.bad[1]]
    known = [slower(now, before) for now, before in usual if before is not None]
    return bool(known) and sum(known) >= _MOSTLY * len(known)


def _slower_now(pairs: Sequence[Pair]) -> bool:
    """Whether the candidate is slower than stable in most of the pairs that both answered well."""
    known = [slower(*each.seconds) for each in pairs if not any(each.bad)]
    return bool(known) and sum(known) >= _MOSTLY * len(known)
