from __future__ import annotations

from dataclasses import replace

import pytest

from aiimprove.evidence import Check, Evidence, Measurement, Verdict
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.improvement import Improvement, Status
from aiimprove.policy import REPLAYED, REQUIRED, one_way, outcome, refusals
from aiimprove.proving.proof import ALL
from aiimprove.settings import Limits

FINDING = Finding("d", Kind.BUG, "c", "p", "t", "s", Probe("http", "api", {"path": "/"}, {"status_below": 500}))
EVIDENCE = Evidence("base", "candidate", tuple(Check(name, Verdict.PASSED, "good") for name in REQUIRED), (),
                    "artifact", "judge", FINDING.probe.digest())
IMPROVEMENT = Improvement("i", FINDING, Status.VERIFIED, base_commit="base", commit="candidate", artifact="artifact",
                          evidence=EVIDENCE)


def codes(improvement: Improvement = IMPROVEMENT, evidence: Evidence | None = EVIDENCE, waiting: int = 0) -> list[str]:
    return [each.code for each in refusals(improvement, evidence, Limits(), waiting)]


def test_a_proven_improvement_may_be_asked_for() -> None:
    assert codes() == [] and codes(waiting=2) == []


def test_every_check_of_a_proof_is_required() -> None:
    assert sorted(REQUIRED) == sorted(ALL)


def test_without_a_proof() -> None:
    assert codes(evidence=None) == ["no_evidence"]


@pytest.mark.parametrize("status", [each for each in Status if each is not Status.VERIFIED])
def test_only_verified_ones(status: Status) -> None:
    assert codes(replace(IMPROVEMENT, status=status)) == ["wrong_status"]


@pytest.mark.parametrize(("waiting", "said"), [(2, []), (3, ["too_many_waiting"]), (4, ["too_many_waiting"])])
def test_at_most_so_many_wait(waiting: int, said: list[str]) -> None:
    assert codes(waiting=waiting) == said


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.ERRORED])
def test_nothing_but_passed_counts_as_passed(verdict: Verdict) -> None:
    checks = (*EVIDENCE.checks[:-1], replace(EVIDENCE.checks[-1], verdict=verdict))
    assert codes(evidence=replace(EVIDENCE, checks=checks)) == [f"check_{verdict}"]


@pytest.mark.parametrize(("verdict", "migrations", "said", "comes_to"), [
    (Verdict.PASSED, 1, [], Verdict.PASSED), (Verdict.FAILED, 0, [], Verdict.PASSED),
    (Verdict.FAILED, 1, [], Verdict.PASSED), (Verdict.INCONCLUSIVE, 0, [], Verdict.PASSED),
    (Verdict.INCONCLUSIVE, 1, ["check_inconclusive"], Verdict.INCONCLUSIVE),
    (Verdict.ERRORED, 0, ["check_errored"], Verdict.ERRORED)])
def test_the_way_back(verdict: Verdict, migrations: int, said: list[str], comes_to: Verdict) -> None:
    measured = (Measurement("migrations", None, migrations),)
    checks = tuple(Check("rollback", verdict, "because", measured) if check.name == "rollback" else check
                   for check in EVIDENCE.checks)
    evidence = replace(EVIDENCE, checks=checks)
    assert codes(evidence=evidence) == said and outcome(evidence) is comes_to
    assert one_way(evidence) == ("because" if verdict is Verdict.FAILED else "")


@pytest.mark.parametrize("name", REQUIRED)
def test_a_check_that_was_left_out(name: str) -> None:
    checks = tuple(check for check in EVIDENCE.checks if check.name != name)
    assert codes(evidence=replace(EVIDENCE, checks=checks)) == ["check_missing"]


@pytest.mark.parametrize(("field", "code"), [
    ("candidate_commit", "other_commit"), ("baseline_commit", "other_base"), ("artifact", "other_artifact"),
    ("probe", "other_probe")])
@pytest.mark.parametrize("value", ["another", ""])
def test_a_proof_of_something_else(field: str, code: str, value: str) -> None:
    assert codes(evidence=replace(EVIDENCE, **{field: value})) == [code]


def test_all_reasons_are_given_at_once() -> None:
    found = codes(replace(IMPROVEMENT, status=Status.FAILED, commit="x"), waiting=9)
    assert found == ["wrong_status", "too_many_waiting", "other_commit"]


@pytest.mark.parametrize(("replayed", "tests", "said"), [
    (0, Verdict.PASSED, []), (0, Verdict.INCONCLUSIVE, ["check_inconclusive", "check_inconclusive"]),
    (7, Verdict.PASSED, ["check_inconclusive"])])
def test_where_nothing_was_recorded_tests_are_enough(replayed: int, tests: Verdict, said: list[str]) -> None:
    replay = Check("replay", Verdict.INCONCLUSIVE, "none", (Measurement(REPLAYED, None, replayed),))
    checks = tuple(replay if each.name == "replay" else replace(each, verdict=tests) if each.name == "tests" else each
                   for each in EVIDENCE.checks)
    assert codes(evidence=replace(EVIDENCE, checks=checks)) == said
