"""What a proof predicts of live, and when that has come true."""

from __future__ import annotations

import pytest

from aiimprove.evidence import Check, Evidence, Measurement, Verdict
from aiimprove.finding import Probe
from aiimprove.prediction import FIGURE, Prediction, missed, only_reads, predict


def proven(before: float | str | None, after: float | str | None, unit: str) -> Evidence:
    return Evidence("b", "c", (Check("probe", Verdict.PASSED, "gone", (Measurement(FIGURE, before, after, unit),)),))


@pytest.mark.parametrize(("unit", "low", "high"), [("bytes", 800, 1200), ("ms", 0, 3000), ("status", 1000, 1000)])
def test_how_near_live_must_come_depends_on_the_unit(unit: str, low: float, high: float) -> None:
    assert predict(proven(6000, 1000, unit)) == Prediction(unit, 6000, 1000, low, high)


@pytest.mark.parametrize("evidence", [None, Evidence("b", "c", ()), proven(None, 1, "x"), proven("a", "b", "x")])
def test_without_a_figure_nothing_is_predicted(evidence: Evidence | None) -> None:
    assert predict(evidence) is None


def test_the_words_name_the_interval() -> None:
    bytes_, status = predict(proven(6000, 1000, "bytes")), predict(proven(500, 422, "status"))
    assert bytes_ and bytes_.words == "6000 bytes become about 1000 (between 800 and 1200)"
    assert status and status.words == "500 status become 422"


def test_what_is_missed() -> None:
    prediction = predict(proven(6000, 1000, "bytes"))
    assert missed(prediction, [True] * 3, [900, 1100, 5000]) == ""
    assert "live shows 1300 bytes" in missed(prediction, [True] * 3, [1300, 1300, 900])
    assert missed(prediction, [True, False, True], [1000]) == "the probe fails 1 of 3 times on live"
    assert missed(None, [True], []) == ""


@pytest.mark.parametrize(("probe", "reads"), [
    (Probe("http", "a", {"method": "GET", "path": "/"}, {}), True),
    (Probe("http", "a", {"method": "POST", "path": "/"}, {}), False),
    (Probe("http", "a", {"method": "GET", "path": "/", "also": [{"method": "DELETE", "path": "/x"}]}, {}), False),
    (Probe("statements", "a", {"method": "GET", "path": "/", "table": "t"}, {"at_most": 2}), False),
    (Probe("query-plan", "a", {"database": "x", "sql": "SELECT 1"}, {}), True)])
def test_live_is_only_asked_what_changes_nothing(probe: Probe, reads: bool) -> None:
    assert only_reads(probe) is reads
