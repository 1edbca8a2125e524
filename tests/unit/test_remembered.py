"""A no and what is remembered of it, and which findings are one thing: never two proposals for one cause."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tiny import FINDING, proven

from aiimprove.advice import advice
from aiimprove.authors import can_write
from aiimprove.evidence import Check, Evidence, Verdict
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.improvement import Improvement, Status
from aiimprove.overlap import one_thing
from aiimprove.recipes import RECIPES
from aiimprove.rejection import Because, Rejection, said
from aiimprove.remembered import against, refused_approaches, remembered, taken_care_of
from aiimprove.settings import Rejections

DAY = 86400.0
SPARES = Rejections(days=90, not_now_days=14)


def refused(because: Because = Because.NOT_WANTED, *, approach: str = "index_migration",
            memory: Rejections = SPARES) -> Improvement:
    no = said("anna", because, FINDING.impact, approach, memory)
    return Improvement("index", FINDING, Status.REJECTED, rejection=no, base_commit="live")


def crash(route: str, signature: str = "OverflowError in app/store.py:fetch", **more: object) -> Finding:
    details = {"service": "app", "crash": signature, "parameters": [{"crash": signature}], **more}
    return Finding("hostile_values", Kind.BUG, "integer-out-of-range", f"app {route}", "", "",
                   Probe("http", "app", {"method": "GET", "path": "/"}, {}), 40.0, details)


def index(*columns: str, table: str = "notes") -> Finding:
    return replace(FINDING, place=f"app/notes.db:{table}({columns})",
                   details={**FINDING.details, "table": table, "columns": list(columns)})


# -- what brings an idea back ---------------------------------------------------------------------------------------

@pytest.mark.parametrize(("because", "days", "times", "comes"), [
    (Because.NOT_WANTED, 89, 1.0, False), (Because.NOT_WANTED, 91, 1.0, True), (Because.NOT_WANTED, 0, 1.49, False),
    (Because.NOT_WANTED, 0, 1.5, True), (Because.NOT_NOW, 13, 1.0, False), (Because.NOT_NOW, 15, 1.0, True),
    (Because.FALSE_ALARM, 30_000, 1.49, False), (Because.FALSE_ALARM, 0, 1.5, True),
    (Because.WRONG_APPROACH, 0, 1.0, True)])
def test_a_rejected_idea_comes_back(because: Because, days: float, times: float, comes: bool) -> None:
    last = refused(because)
    assert last.rejection
    now = replace(FINDING, impact=FINDING.impact * times)
    assert (against(now, [last], [last], "live", last.rejection.at + days * DAY) == "") is comes


def test_what_was_rejected_twice_is_remembered_from_the_second_time_on() -> None:
    old = replace(refused(), rejection=Rejection("anna", 0.0, Because.NOT_WANTED, 20.0, "x", 1.0))
    assert against(FINDING, [old], [old], "live", 2.0) == ""
    assert "rejected on" in against(FINDING, [refused(), old], [old, refused()], "live", 2.0)


def test_a_no_holds_although_another_improvement_ended_since() -> None:
    gone = Improvement("index-2", FINDING, Status.SUPERSEDED, base_commit="before")
    assert against(FINDING, [gone], [], "live", 0.0) == ""
    assert "rejected on" in against(FINDING, [gone, refused()], [refused()], "live", 0.0)


def test_a_no_holds_for_the_same_thing_seen_from_another_side() -> None:
    no = Rejection("anna", 0.0, Because.FALSE_ALARM, 40.0, "integer_bounds", None)
    first = Improvement("first", crash("GET /a"), Status.REJECTED, rejection=no)
    told = against(crash("GET /b"), [], [first], "live", 0.0)
    assert told.startswith("first is about the same and was rejected on") and remembered(crash("GET /b"), [first], 0.0)
    assert against(replace(crash("GET /b"), impact=60.0), [], [first], "live", 0.0) == "", "it hurts clearly more"
    assert against(crash("GET /b", "KeyError in app/store.py:fetch"), [], [first], "live", 0.0) == ""
    approach = replace(first, rejection=replace(no, because=Because.WRONG_APPROACH))
    assert against(crash("GET /b"), [], [approach], "live", 0.0) == ""
    assert refused_approaches(crash("GET /b"), [approach], 0.0) == {"integer_bounds"}


def test_only_the_approach_is_rejected() -> None:
    past = [refused(Because.WRONG_APPROACH, approach="gzip")]
    headers = replace(FINDING, cause="missing-security-headers")
    assert refused_approaches(FINDING, past, 0.0) == {"gzip"}
    assert refused_approaches(FINDING, [refused()], 0.0) == set()
    assert can_write("recipes", headers, {"next_headers"}) and not can_write("recipes", headers, {"recipes"})
    every = {name for name, (_, causes) in RECIPES.items() if headers.cause in causes}
    assert len(every) > 1 and not can_write("recipes", headers, every)
    assert past[0].rejection
    assert refused_approaches(FINDING, past, past[0].rejection.at + 91 * DAY) == set()


def test_it_is_said_what_would_bring_it_back() -> None:
    no = refused().rejection
    assert no and "by anna because not wanted; comes back when its impact is 30 (1.5 times as large), or after 20" in (
        no.words)
    large = replace(no, impact=80.0)  # 1.5 times as large is more than there is
    assert "comes back after 20" in large.words and "1.5 times" not in large.words
    assert "never comes back by itself" in replace(large, until=None).words
    approach = refused(Because.WRONG_APPROACH, approach="gzip").rejection
    assert approach and "another approach may be proposed at any time; this one (gzip) comes back" in approach.words
    assert refused(memory=Rejections(days=0)).rejection.until is None  # type: ignore[union-attr]


def test_a_no_is_saved_and_one_of_earlier_days_holds_for_good() -> None:
    made = refused(Because.NOT_NOW)
    data = json.loads(json.dumps(made.to_json()))
    assert Improvement.from_json(data).rejection == made.rejection
    del data["rejection"]
    before = Improvement.from_json(data).rejection
    assert before and before.until is None and before.because is Because.NOT_WANTED
    assert Improvement.from_json({**data, "status": "FAILED"}).rejection is None


# -- one proposal for one cause -------------------------------------------------------------------------------------

@pytest.mark.parametrize(("one", "other", "same"), [
    (crash("GET /a"), crash("GET /b"), True),
    (crash("GET /a"), crash("GET /b", "KeyError in app/store.py:fetch"), False),
    (crash("GET /a"), crash("GET /b", ""), False), (crash("GET /a", ""), crash("GET /b", ""), False),
    (crash("GET /a"), crash("GET /b", service="other"), False),
    (crash("GET /a", ""), crash("GET /b", parameters=[{"crash": ""}]), False),
    (crash("GET /a"), replace(crash("x"), cause="OverflowError", details={
        "service": "app", "crash": "OverflowError in app/store.py:fetch"}), True),
    (index("tag"), index("tag", "day"), True), (index("tag", "day"), index("tag"), True),
    (index("tag"), index("day"), False), (index("tag", "day"), index("tag", "text"), False),
    (index("tag"), index("tag", table="users"), False), (index("tag"), crash("GET /a"), False)])
def test_two_findings_are_one_thing(one: Finding, other: Finding, same: bool) -> None:
    assert bool(one_thing(one, other)) is bool(one_thing(other, one)) is same


@pytest.mark.parametrize("status", Status)
def test_beside_a_proposal_under_way_no_other_is_made_for_its_cause(status: Status) -> None:
    first = Improvement("first", crash("GET /a"), status)
    held = status in ("PROPOSED", "GENERATED", "VERIFIED", "AWAITING_APPROVAL", "APPROVED")
    told = against(crash("GET /b"), [], [first], "live", 0.0)
    assert told == ("first is about the same: OverflowError in app/store.py:fetch" if held else "")
    assert taken_care_of(first.finding, [first]) == ""


def test_what_another_one_mends_too_is_not_proposed() -> None:
    other = crash("GET /b", "")
    first = Improvement("first", FINDING, Status.VERIFIED, evidence=replace(proven("c"), also={other.fingerprint: "b"}))
    assert against(other, [], [first], "live", 0.0) == "first mends it too"
    again = Improvement.from_json(json.loads(json.dumps(first.to_json())))
    assert taken_care_of(other, [again]) == "first mends it too"
    assert taken_care_of(other, [replace(first, status=Status.LIVE)]) == ""


# -- what would help ------------------------------------------------------------------------------------------------

def test_it_is_said_what_an_unproven_one_lacks() -> None:
    checks = (Check("probe", Verdict.PASSED, ""), Check("tests", Verdict.INCONCLUSIVE, "no tests"),
              Check("new", Verdict.INCONCLUSIVE, "could not tell"))
    unproven = Improvement("index", FINDING, Status.UNPROVEN, evidence=Evidence("a", "b", checks))
    assert [each.partition(" ")[0] for each in advice(unproven)] == ["tests:", "new:", "then"]
    assert "'aiimprove test index'" in advice(unproven)[-1] and advice(replace(unproven, status=Status.FAILED)) == []
    assert "machine" in advice(replace(unproven, evidence=None))[0]
