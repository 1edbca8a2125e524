"""What the evidence says as a whole, and that its digest covers every byte of it but time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from aiimprove.evidence import Check, Evidence, Measurement, Verdict

PASS, FAIL, OPEN, BROKEN = Verdict.PASSED, Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.ERRORED
FIGURE = Measurement("size", 10.0, 5.0, "kB")
WHOLE = Evidence("base", "candidate", (Check("probe", PASS, "good", (FIGURE,), 1.5), Check("smoke", PASS, "fine")),
                 ("looks",), "artifact", "judge", "probe", 100.0)


@pytest.mark.parametrize(("verdicts", "worst"), [
    ((), OPEN), ((PASS,), PASS), ((PASS, PASS), PASS), ((PASS, OPEN), OPEN), ((PASS, OPEN, FAIL), FAIL),
    ((FAIL, BROKEN), BROKEN), ((BROKEN, PASS, OPEN, FAIL), BROKEN), ((OPEN, OPEN), OPEN)])
def test_the_worst_answer_counts(verdicts: tuple[Verdict, ...], worst: Verdict) -> None:
    checks = tuple(Check(str(number), verdict, "") for number, verdict in enumerate(verdicts))
    assert replace(WHOLE, checks=checks).verdict is worst


def first(change: Callable[[Check], Check]) -> Evidence:
    return replace(WHOLE, checks=(change(WHOLE.checks[0]), *WHOLE.checks[1:]))


@pytest.mark.parametrize("other", [
    replace(WHOLE, baseline_commit="x"), replace(WHOLE, candidate_commit="x"), replace(WHOLE, artifact="x"),
    replace(WHOLE, judge="x"), replace(WHOLE, probe="x"), replace(WHOLE, not_checked=()),
    replace(WHOLE, checks=WHOLE.checks[:1]), replace(WHOLE, checks=WHOLE.checks[::-1]),
    first(lambda check: replace(check, name="x")), first(lambda check: replace(check, verdict=FAIL)),
    first(lambda check: replace(check, summary="goof")), first(lambda check: replace(check, measurements=())),
    first(lambda check: replace(check, measurements=(replace(FIGURE, after=5.1),))),
    first(lambda check: replace(check, measurements=(replace(FIGURE, unit="MB"),)))])
def test_any_change_changes_the_digest(other: Evidence) -> None:
    assert other.digest != WHOLE.digest


def test_the_time_it_took_does_not() -> None:
    assert replace(WHOLE, made=200.0).digest == WHOLE.digest
    assert first(lambda check: replace(check, seconds=9.0)).digest == WHOLE.digest


def test_json_and_back_keeps_the_digest() -> None:
    data = json.loads(json.dumps(WHOLE.to_json()))
    assert data["digest"] == WHOLE.digest and data["verdict"] == "passed"
    read = Evidence.from_json(data)
    assert read == WHOLE and read.digest == WHOLE.digest and read.made == 100.0
