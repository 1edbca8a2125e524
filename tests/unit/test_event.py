"""The chain of events: it holds as it is, and shows any change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aiimprove.event import GENESIS, Event, chain, first_break

Row = tuple[int, str, str, Event]


def chained(count: int) -> list[Row]:
    rows: list[Row] = []
    before = GENESIS
    for number in range(1, count + 1):
        event = Event("release.promoted", f"r-{number}", "anna", {"to": number}, number, float(number))
        rows.append((number, before, chain(before, event), event))
        before = rows[-1][2]
    return rows


def test_a_whole_chain() -> None:
    assert first_break([]) is None and first_break(chained(1)) is None and first_break(chained(5)) is None


@pytest.mark.parametrize("change", [
    {"name": "release.aborted"}, {"subject": "r-9"}, {"performer": "eve"}, {"body": {"to": 4}}, {"body": {}},
    {"version": 9}, {"at": 3.0001}])
def test_any_edited_field_shows(change: dict[str, object]) -> None:
    rows = chained(5)
    number, before, found, event = rows[2]
    rows[2] = (number, before, found, replace(event, **change))
    assert first_break(rows) == 3


def test_an_edited_event_with_a_new_hash_shows_at_the_next() -> None:
    rows = chained(5)
    forged = replace(rows[2][3], performer="eve")
    rows[2] = (3, rows[2][1], chain(rows[2][1], forged), forged)
    assert first_break(rows) == 4


@pytest.mark.parametrize(("gone", "shows"), [(0, 2), (2, 4)])
def test_a_removed_event_shows(gone: int, shows: int) -> None:
    rows = chained(5)
    del rows[gone]
    assert first_break(rows) == shows


def test_a_gap_in_the_numbers_shows() -> None:
    rows = [(number + (number > 2), *rest) for number, *rest in chained(4)]
    assert first_break(rows) == 4  # type: ignore[arg-type]


def test_swapped_events_show() -> None:
    rows = chained(4)
    rows[1], rows[2] = rows[2], rows[1]
    assert first_break(rows) == 3


def test_cutting_off_the_end_is_what_the_chain_cannot_see() -> None:
    assert first_break(chained(5)[:3]) is None
