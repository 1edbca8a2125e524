"""A candidate that meets some of the visitors: its share, its faults, and the log that it is judged by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from traffic_site import Site, ask, site
from traffic_waiting import until

from aiimprove.gateway import Answer, Cursor, Generation
from aiimprove.release import Environment

LIVE = Environment.LIVE


NOBODY = {"backend": 1, "frontend": 1}


@dataclass
class Releases:
    stable: Generation
    candidate: dict[str, int]
    failing: dict[str, int]


@pytest.fixture(scope="module")
def site_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Releases]]:
    with site(tmp_path_factory.mktemp("canary")) as here:
        stable = Generation("stable", here.release("stable"))
        yield here, Releases(stable, here.release("candidate"), here.release("candidate", failing=True))


@pytest.fixture
def releases(site_of_all: tuple[Site, Releases]) -> Releases:
    return site_of_all[1]


@pytest.fixture
def here(site_of_all: tuple[Site, Releases]) -> Site:
    """Everything goes to stable."""
    _switched(site_of_all[0], site_of_all[1].stable)
    return site_of_all[0]


def _canary(here: Site, releases: Releases, threshold: int, ports: dict[str, int] | None = None) -> Generation:
    return _switched(here, releases.stable.with_canary("candidate", ports or releases.candidate, threshold))


def _switched(here: Site, generation: Generation) -> Generation:
    here.gateway.switch(LIVE, generation)
    current = here.gateway.current(LIVE)
    assert current is not None
    return current


def _answers(here: Site, since: Cursor, count: int) -> list[Answer]:
    until(lambda: len(here.gateway.answers(since)[0]) >= count)
    return here.gateway.answers(since)[0]


def test_the_share_of_the_candidate_is_about_its_threshold(here: Site, releases: Releases) -> None:
    _canary(here, releases, 300)
    served = Counter(ask(here.public("backend")).release for _ in range(300))
    assert 50 < served["candidate"] < 140


@pytest.mark.parametrize("threshold, only", [(0, "stable"), (1000, "candidate")])
def test_none_and_all_are_exact(here: Site, releases: Releases, threshold: int, only: str) -> None:
    _canary(here, releases, threshold)
    assert {ask(here.public("backend")).release for _ in range(60)} == {only}


def test_visitors_stay_where_they_are_on_both_services(here: Site, releases: Releases) -> None:
    _canary(here, releases, 500)
    for _ in range(8):
        first = ask(here.public("frontend"))
        cookie = first.values("Set-Cookie")[0].split(";")[0]
        assert cookie == f"aiimprove_lane=candidate.{first.release}"
        for service in ("backend", "frontend") * 3:
            later = ask(here.public(service), headers={"Cookie": cookie})
            assert later.release == first.release and later.values("Set-Cookie") == []


def test_a_cookie_of_an_earlier_candidate_counts_for_nothing(here: Site, releases: Releases) -> None:
    canary = _canary(here, releases, 0)
    old = {"Cookie": "aiimprove_lane=another.candidate"}
    assert ask(here.public("backend"), headers=old).release == "stable"
    _switched(here, replace(canary, candidate_release="", candidate={}))
    said = ask(here.public("backend"), headers={"Cookie": "aiimprove_lane=candidate.candidate"})
    assert said.release == "stable" and said.values("Set-Cookie") == []


def test_a_header_asks_for_the_candidate(here: Site, releases: Releases) -> None:
    _canary(here, releases, 0)
    assert ask(here.public("backend"), headers={"X-Aiimprove-Candidate": "candidate"}).release == "candidate"
    assert ask(here.public("backend"), headers={"X-Aiimprove-Candidate": "other"}).release == "stable"
    _switched(here, releases.stable)
    assert ask(here.public("backend"), headers={"X-Aiimprove-Candidate": "none"}).release == "stable"


@pytest.mark.parametrize(("lane", "threshold"), [("candidate", 0), ("stable", 1000)])
def test_a_cookie_asks_for_a_lane(here: Site, releases: Releases, lane: str, threshold: int) -> None:
    _canary(here, releases, threshold)
    asked = {"Cookie": f"other=1; aiimprove_lane=candidate.{lane}"}
    assert {ask(here.public("backend"), headers=asked).release for _ in range(5)} == {lane}


def test_a_get_that_fails_on_the_candidate_is_answered_by_stable(here: Site, releases: Releases) -> None:
    _canary(here, releases, 1000, releases.failing)
    since = here.gateway.cursor()
    for method in ("GET", "HEAD", "GET"):
        assert ask(here.public("backend"), method=method).status == 200
    failed = ask(here.public("backend"), method="POST", body="row")
    assert failed.status == 500 and failed.release == "candidate"
    answers = _answers(here, since, 4)
    assert [(each.lane, each.release, each.failed_candidate, each.status) for each in answers] == [
        ("candidate", "candidate", True, 200)] * 3 + [("candidate", "candidate", False, 500)]


def test_a_dead_candidate_is_answered_for_by_stable_with_the_body_whole(here: Site, releases: Releases) -> None:
    _canary(here, releases, 1000, NOBODY)
    since = here.gateway.cursor()
    body = "r" * 100_000
    for number in range(6):
        said = ask(here.public("backend"), "/row?x=%20y", "POST" if number % 2 else "GET", body if number % 2 else None)
        assert said.status == 200 and said.release == "stable" and said.told["path"] == "/row?x=%20y"
        assert said.told["body"] == (body if number % 2 else "")
    assert all(each.failed_candidate for each in _answers(here, since, 6))


def test_an_operator_is_hidden_from_the_stable_release_that_helps_out(here: Site, releases: Releases) -> None:
    _canary(here, releases, 1000, NOBODY)
    said = ask(here.public("backend"), "/cookies",
               headers={"Cookie": "a=1; aiimprove_operator=s", "Authorization": "Bearer aiop_x"})
    assert said.received("Cookie") == ["a=1"] and said.received("Authorization") == []
    assert not [each for each in said.values("Set-Cookie") if "operator" in each]


def test_the_log_says_who_answered_how(here: Site, releases: Releases) -> None:
    generation = _switched(here, releases.stable)
    since = here.gateway.cursor()
    ask(here.public("frontend"), "/page?a=b", "POST", "x")
    ask(here.public("backend"), "/fail")
    first, second = _answers(here, since, 2)
    assert (first.environment, first.service, first.release, first.lane, first.generation) == (
        "live", "frontend", "stable", "stable", generation.number)
    assert (first.method, first.uri, first.status, first.finished) == ("POST", "/page?a=b", 200, True)
    assert 0 < first.seconds < 1 and (second.status, second.service) == (500, "backend")
    assert oct(here.gateway.log.stat().st_mode & 0o777) == "0o600"


def test_an_answer_that_breaks_off_is_logged_as_unfinished(here: Site) -> None:
    since = here.gateway.cursor()
    with pytest.raises(Exception, match=r"(?i)incomplete"):
        ask(here.public("backend"), "/broken-off")
    assert [each.finished for each in _answers(here, since, 1)] == [False]


def test_the_log_holds_no_secret(here: Site) -> None:
    since = here.gateway.cursor()
    ask(here.public("frontend"), "/api/ai-status", headers={
        "Cookie": "aiimprove_operator=cookiesecret", "Authorization": "Bearer aiop_tokensecret"})
    _answers(here, since, 1)
    assert "secret" not in here.gateway.log.read_text()


def test_reading_goes_on_across_rotations(here: Site) -> None:
    cursor, sent = here.gateway.cursor(), 0
    seen: list[int] = []
    padding = "p" * 15_000
    while not list(here.gateway.log.parent.glob("gateway-*.log")):
        for _ in range(70):
            ask(here.public("backend"), f"/{sent}?{padding}")
            sent += 1
        if sent % 490 == 0:
            fresh, cursor = here.gateway.answers(cursor)
            seen += [int(each.uri[1:].split("?")[0]) for each in fresh]
        assert sent < 3000
    until(lambda: len(seen) + len(here.gateway.answers(cursor)[0]) == sent)
    fresh, cursor = here.gateway.answers(cursor)
    seen += [int(each.uri[1:].split("?")[0]) for each in fresh]
    assert sorted(seen) == list(range(sent)), "each answer is read once, although the log was rotated"
    assert here.gateway.answers(cursor) == ([], cursor)
