"""The health score, as docs and status define it."""

from __future__ import annotations

import pytest

from aiimprove.health import FAILING, OK, UNKNOWN, Answered, score

FAST, SLOW, DOWN = Answered(OK, 20.0), Answered(OK, 600.0), Answered(FAILING)


@pytest.mark.parametrize(("live", "errors", "requests", "wanted"), [
    ([FAST, FAST], 0, 0, 100), ([FAST, FAST], 0, 1000, 100), ([FAST, FAST], 100, 1000, 90),
    ([FAST, DOWN], 0, 1000, 50), ([DOWN, DOWN], 0, 1000, 0), ([FAST, SLOW], 0, 1000, 50),
    ([SLOW, DOWN], 500, 1000, 12), ([FAST], 10, 10, 0), ([], 0, 0, 0), ([Answered(OK, 300.0)], 0, 1, 100)])
def test_score(live: list[Answered], errors: int, requests: int, wanted: int) -> None:
    assert score({str(number): each for number, each in enumerate(live)}, errors, requests, 300.0) == wanted


def test_a_service_without_a_port_does_not_count_against_it() -> None:
    assert score({"web": FAST, "worker": Answered(UNKNOWN)}, 0, 10, 300.0) == 100
