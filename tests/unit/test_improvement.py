"""Every arrow of an improvement's life, and that there is no other."""

from __future__ import annotations

import json
from itertools import product

import pytest
from tiny import FINDING, proven

from aiimprove.errors import Refused
from aiimprove.improvement import OPEN, TRANSITIONS, Approval, Improvement, Status

ARROWS = """
PROPOSED GENERATED, PROPOSED FAILED, PROPOSED NEEDS_AUTHOR, PROPOSED SUPERSEDED
NEEDS_AUTHOR PROPOSED, NEEDS_AUTHOR SUPERSEDED
GENERATED VERIFIED, GENERATED UNPROVEN, GENERATED FAILED, GENERATED GENERATED, GENERATED SUPERSEDED
VERIFIED AWAITING_APPROVAL, VERIFIED EXPIRED, VERIFIED GENERATED, VERIFIED FAILED, VERIFIED SUPERSEDED
AWAITING_APPROVAL APPROVED, AWAITING_APPROVAL REJECTED, AWAITING_APPROVAL EXPIRED, AWAITING_APPROVAL GENERATED
AWAITING_APPROVAL FAILED, AWAITING_APPROVAL SUPERSEDED
APPROVED LIVE, APPROVED ROLLED_BACK, APPROVED REJECTED, APPROVED GENERATED, APPROVED FAILED, APPROVED SUPERSEDED
LIVE ROLLED_BACK
UNPROVEN GENERATED, UNPROVEN SUPERSEDED
"""
ALLOWED = {tuple(arrow.split()) for line in ARROWS.strip().splitlines() for arrow in line.split(", ")}


@pytest.mark.parametrize(("before", "after"), list(product(Status, Status)))
def test_only_the_arrows_that_are_drawn(before: Status, after: Status) -> None:
    improvement = Improvement("i", FINDING, before, version=4)
    if (before, after) in ALLOWED:
        moved = improvement.advance(after, reason="because")
        assert (moved.status, moved.version, moved.reason, improvement.status) == (after, 5, "because", before)
    else:
        with pytest.raises(Refused, match=f"i is {before}: it cannot become {after}"):
            improvement.advance(after)


def test_every_status_has_its_arrows() -> None:
    assert set(TRANSITIONS) == set(Status)


def test_nobody_approves_what_was_not_asked() -> None:
    assert {before for before, after in ALLOWED if after == "APPROVED"} == {"AWAITING_APPROVAL"}
    assert {before for before, after in ALLOWED if after == "LIVE"} == {"APPROVED"}


def test_what_is_open_wants_something_and_is_not_live() -> None:
    assert {before for before, _ in ALLOWED} - {"LIVE"} == OPEN


def test_a_note_keeps_the_status() -> None:
    noted = Improvement("i", FINDING, Status.APPROVED, version=2).note(attempts=1)
    assert (noted.status, noted.version, noted.attempts) == (Status.APPROVED, 3, 1)


def test_json_and_back() -> None:
    whole = Improvement("i", FINDING, Status.APPROVED, 7, "recipes", "ai/i", "b", "c", "diff\ud800", "claim", "r-1",
                        "a", proven("c"), "d", Approval("anna", "d", 3.0), "why", 1, 1.0, 2.0, ("note",))
    assert Improvement.from_json(json.loads(json.dumps(whole.to_json()))) == whole


def test_json_of_a_later_version_is_read() -> None:
    later = json.loads(json.dumps(Improvement("i", FINDING).to_json())) | {"a_key_of_the_future": 1}
    assert Improvement.from_json(later) == Improvement("i", FINDING)
