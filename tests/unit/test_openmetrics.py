"""The text format, read back by the parser of Prometheus' own client."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed

from aiimprove.openmetrics import Family, Sample, counter, gauge, histogram, info, text
from aiimprove.tallies import BOUNDS, MOST_RELEASES, Tallies

ODD = 'a "quoted" \\ back\nline {}, = caf\u00e9'


def answer(**changes: Any) -> Any:
    return SimpleNamespace(**{"environment": "live", "release": "r-1", "service": "web", "status": 200, "seconds": 0.02,
                              "failed_candidate": False, "finished": True} | changes)


def read(families: list[Family]) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in parsed(text(families)) for sample in family.samples}


def value(families: list[Family], name: str, **labels: str) -> float:
    """The sum of all samples of that name that have these labels."""
    return sum(found for (each, have), found in read(families).items()
               if each == name and set(labels.items()) <= set(have))


def test_every_kind_is_read_back() -> None:
    families = [counter("a_requests", ODD, [Sample(3, {"path": ODD})]),
                gauge("a_bytes", "Size.", [Sample(1.5)], "bytes"),
                info("a_build", "Which.", {"version": "1"}),
                Family("a_seconds", "histogram", "Times.", tuple(histogram({}, (0.1, 1.0), (1, 2, 3), 7.5)), "seconds"),
                Family("a_step_seconds", "summary", "Steps.", (Sample(2, {}, "_count"), Sample(3.5, {}, "_sum")),
                       "seconds"), gauge("a_odd", "Not numbers.", [Sample(math.inf), Sample(math.nan, {"x": "y"})])]
    found = read(families)
    assert found["a_requests_total", (("path", ODD),)] == 3 and found["a_bytes", ()] == 1.5
    assert [found["a_seconds_bucket", (("le", bound),)] for bound in ("0.1", "1.0", "+Inf")] == [1, 3, 6]
    assert found["a_seconds_count", ()] == 6 and found["a_seconds_sum", ()] == 7.5
    assert {each.name: each.documentation for each in parsed(text(families))}["a_requests"] == ODD
    assert text([]) == "# EOF\n"


def test_a_page_that_was_cut_off_is_seen() -> None:
    whole = text([gauge("a", "A.", [Sample(1)])])
    with pytest.raises(ValueError, match="EOF"):
        list(parsed(whole.removesuffix("# EOF\n")))


def test_answers_are_counted_where_they_belong() -> None:
    tallies = Tallies()
    for status in (200, 204, 302, 404, 500, 503):
        tallies.add(answer(status=status))
    tallies.add(answer(environment="dev"))
    tallies.add(answer(release="r-2", failed_candidate=True))
    tallies.add(answer(status=200, seconds=0.0, finished=False))
    tallies.add(answer(status=0, seconds=0.0))
    found = tallies.families()
    live = {"environment": "live", "service": "web", "release": "r-1"}
    assert [value(found, "aiimprove_requests_total", **live, **{"class": f"{each}xx"}) for each in range(1, 6)] \
        == [0, 2, 1, 1, 2]
    assert value(found, "aiimprove_request_errors_total", **live) == 2
    assert value(found, "aiimprove_requests_broken_off_total", **live) == 1
    assert value(found, "aiimprove_request_candidate_failures_total", release="r-2") == 1
    assert value(found, "aiimprove_requests_total") == 8
    assert value(found, "aiimprove_request_seconds_count") == 8


@pytest.mark.parametrize(("seconds", "bound"), [(0.0, "0.005"), (0.005, "0.005"), (0.0051, "0.01"), (10.0, "10.0"),
                                                (10.1, "+Inf"), (9999.0, "+Inf")])
def test_a_time_falls_into_the_first_bucket_that_holds_it(seconds: float, bound: str) -> None:
    tallies = Tallies()
    tallies.add(answer(seconds=seconds))
    bounds = [*map(repr, BOUNDS), "+Inf"]
    first = next(each for each in bounds
                 if value(tallies.families(), "aiimprove_request_seconds_bucket", le=each))
    assert first == bound
    assert value(tallies.families(), "aiimprove_request_seconds_sum") == pytest.approx(seconds)


def test_counters_go_on_in_the_next_process() -> None:
    import json

    tallies = Tallies()
    for number in range(5):
        tallies.add(answer(seconds=number, status=200 + 100 * number % 400))
    again = Tallies(json.loads(json.dumps(tallies.saved())))
    assert read(again.families()) == read(tallies.families())
    again.add(answer())
    assert value(again.families(), "aiimprove_requests_total") == 1 + value(
        tallies.families(), "aiimprove_requests_total")


def test_there_is_an_end_to_the_number_of_series() -> None:
    tallies = Tallies()
    for number in range(3 * MOST_RELEASES):
        tallies.add(answer(release="r-old"))
        tallies.add(answer(release=f"r-{number}"))
    tallies.give_up_the_oldest()
    releases = {dict(have)["release"] for _, have in read(tallies.families())}
    assert len(releases) == MOST_RELEASES and {"r-old", f"r-{3 * MOST_RELEASES - 1}"} <= releases
