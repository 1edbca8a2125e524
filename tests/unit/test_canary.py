"""When a watched release goes back, when it stays, and when nobody knows yet."""

from __future__ import annotations

import pytest

from aiimprove.canary import Tally, judge
from aiimprove.evidence import Verdict

GOOD = Tally(1000, 0)


@pytest.mark.parametrize(("new", "old", "probes", "over", "verdict"), [
    (Tally(), Tally(), 0, False, Verdict.INCONCLUSIVE),
    (Tally(), Tally(), 0, True, Verdict.PASSED),
    (GOOD, GOOD, 2, False, Verdict.INCONCLUSIVE),
    (GOOD, GOOD, 3, False, Verdict.FAILED),
    (GOOD, GOOD, 3, True, Verdict.FAILED),
    (Tally(4, 4), GOOD, 0, False, Verdict.INCONCLUSIVE),
    (Tally(5, 5), GOOD, 0, False, Verdict.FAILED),
    (Tally(5, 5), Tally(), 0, False, Verdict.FAILED),
    (Tally(100, 5), GOOD, 0, False, Verdict.INCONCLUSIVE),
    (Tally(100, 6), GOOD, 0, False, Verdict.FAILED),
    (Tally(100, 6), GOOD, 0, True, Verdict.FAILED),
    (Tally(100, 5), GOOD, 0, True, Verdict.PASSED),
    (Tally(100, 20), Tally(100, 10), 0, False, Verdict.INCONCLUSIVE),
    (Tally(100, 21), Tally(100, 10), 0, False, Verdict.FAILED),
])
def test_judgement(new: Tally, old: Tally, probes: int, over: bool, verdict: Verdict) -> None:
    judgement = judge(new, old, probes, 5.0, over=over)
    assert judgement.verdict is verdict and judgement.failed is (verdict is Verdict.FAILED) and judgement.why


def test_it_says_why() -> None:
    assert "6 of 100 answers to visitors were server errors (before: 1 of 50)" in \
        judge(Tally(100, 6), Tally(50, 1), 0, 5.0, over=False).why
    assert "its health failed 4 times in a row" in judge(GOOD, GOOD, 4, 5.0, over=False).why


def test_no_answer_has_no_share_of_errors() -> None:
    assert Tally().share == 0.0 and Tally(4, 1).share == 0.25
