"""A candidate that meets some of the visitors: its share, its faults, the log that it is judged by, and the lease."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from traffic_site import Load, Site, ask, shim_of, site
from traffic_waiting import until

from aiimprove.errors import Stale
from aiimprove.gateway import Answer, Cursor, Generation, Watch
from aiimprove.release import Environment

LIVE = Environment.LIVE


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as here:
        yield here


def _canary(here: Site, threshold: int, *, failing: bool = False) -> Generation:
    stable = here.live("stable")
    ports = here.release("candidate", failing=failing)
    return _switched(here, stable.with_canary("candidate", ports, threshold))


def _switched(here: Site, generation: Generation) -> Generation:
    here.gateway.switch(LIVE, generation)
    current = here.gateway.current(LIVE)
    assert current is not None
    return current


def _answers(here: Site, since: Cursor, count: int) -> list[Answer]:
    until(lambda: len(here.gateway.answers(since)[0]) >= count)
    return here.gateway.answers(since)[0]


def test_the_share_of_the_candidate_is_about_its_threshold(here: Site) -> None:
    _canary(here, 300)
    releases = Counter(ask(here.public("backend")).release for _ in range(300))
    assert 50 < releases["candidate"] < 140


@pytest.mark.parametrize("threshold, only", [(0, "stable"), (1000, "candidate")])
def test_none_and_all_are_exact(here: Site, threshold: int, only: str) -> None:
    _canary(here, threshold)
    assert {ask(here.public("backend")).release for _ in range(60)} == {only}


def test_visitors_stay_where_they_are_on_both_services(here: Site) -> None:
    _canary(here, 500)
    for _ in range(8):
        first = ask(here.public("frontend"))
        cookie = first.values("Set-Cookie")[0].split(";")[0]
        assert cookie == f"aiimprove_lane=candidate.{first.release}"
        for service in ("backend", "frontend") * 3:
            later = ask(here.public(service), headers={"Cookie": cookie})
            assert later.release == first.release and later.values("Set-Cookie") == []


def test_a_cookie_of_an_earlier_candidate_counts_for_nothing(here: Site) -> None:
    canary = _canary(here, 0)
    old = {"Cookie": "aiimprove_lane=another.candidate"}
    assert ask(here.public("backend"), headers=old).release == "stable"
    _switched(here, replace(canary, candidate_release="", candidate={}))
    said = ask(here.public("backend"), headers={"Cookie": "aiimprove_lane=candidate.candidate"})
    assert said.release == "stable" and said.values("Set-Cookie") == []


def test_a_header_asks_for_the_candidate(here: Site) -> None:
    _canary(here, 0)
    assert ask(here.public("backend"), headers={"X-Aiimprove-Candidate": "candidate"}).release == "candidate"
    assert ask(here.public("backend"), headers={"X-Aiimprove-Candidate": "other"}).release == "stable"
    _switched(here, Generation(release="stable", stable=here.release("stable")))
    assert ask(here.public("backend"), headers={"X-Aiimprove-Candidate": "none"}).release == "stable"


def test_a_get_that_fails_on_the_candidate_is_answered_by_stable(here: Site) -> None:
    _canary(here, 1000, failing=True)
    since = here.gateway.cursor()
    for method in ("GET", "HEAD", "GET"):
        assert ask(here.public("backend"), method=method).status == 200
    failed = ask(here.public("backend"), method="POST", body="row")
    assert failed.status == 500 and failed.release == "candidate"
    answers = _answers(here, since, 4)
    assert [(each.lane, each.release, each.failed_candidate, each.status) for each in answers] == [
        ("candidate", "candidate", True, 200)] * 3 + [("candidate", "candidate", False, 500)]


def test_a_dead_candidate_is_answered_for_by_stable_with_the_body_whole(here: Site) -> None:
    stable = here.live("stable")
    _switched(here, stable.with_canary("candidate", {"backend": 1, "frontend": 1}, 1000))
    since = here.gateway.cursor()
    body = "r" * 100_000
    for number in range(6):
        said = ask(here.public("backend"), "/row?x=%20y", "POST" if number % 2 else "GET", body if number % 2 else None)
        assert said.status == 200 and said.release == "stable" and said.told["path"] == "/row?x=%20y"
        assert said.told["body"] == (body if number % 2 else "")
    assert all(each.failed_candidate for each in _answers(here, since, 6))


def test_an_operator_is_hidden_from_the_stable_release_that_helps_out(here: Site) -> None:
    stable = here.live("stable")
    _switched(here, stable.with_canary("candidate", {"backend": 1, "frontend": 1}, 1000))
    said = ask(here.public("backend"), "/cookies",
               headers={"Cookie": "a=1; aiimprove_operator=s", "Authorization": "Bearer aiop_x"})
    assert said.received("Cookie") == ["a=1"] and said.received("Authorization") == []
    assert not [each for each in said.values("Set-Cookie") if "operator" in each]


def test_the_log_says_who_answered_how(here: Site) -> None:
    generation = _switched(here, here.live("one"))
    since = here.gateway.cursor()
    ask(here.public("frontend"), "/page?a=b", "POST", "x")
    ask(here.public("backend"), "/fail")
    first, second = _answers(here, since, 2)
    assert (first.environment, first.service, first.release, first.lane, first.generation) == (
        "live", "frontend", "one", "stable", generation.number)
    assert (first.method, first.uri, first.status, first.finished) == ("POST", "/page?a=b", 200, True)
    assert 0 < first.seconds < 1 and (second.status, second.service) == (500, "backend")
    assert oct(here.gateway.log.stat().st_mode & 0o777) == "0o600"


def test_an_answer_that_breaks_off_is_logged_as_unfinished(here: Site) -> None:
    here.live("one")
    since = here.gateway.cursor()
    with pytest.raises(Exception, match=r"(?i)incomplete"):
        ask(here.public("backend"), "/broken-off")
    assert [each.finished for each in _answers(here, since, 1)] == [False]


def test_the_log_holds_no_secret(here: Site) -> None:
    here.live("one")
    since = here.gateway.cursor()
    ask(here.public("frontend"), "/api/ai-status", headers={
        "Cookie": "aiimprove_operator=cookiesecret", "Authorization": "Bearer aiop_tokensecret"})
    _answers(here, since, 1)
    assert "secret" not in here.gateway.log.read_text()


def test_reading_goes_on_across_rotations(here: Site) -> None:
    here.live("one")
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


def _watch(here: Site, stable: Generation, **more: object) -> Watch:
    checks = tuple(f"http://127.0.0.1:{port}/health" for port in stable.stable.values())
    return replace(Watch("d-1", stable.number, checks), **more)  # type: ignore[arg-type]


def test_a_watch_that_is_renewed_never_lapses(here: Site) -> None:
    stable = _switched(here, here.live("stable"))
    new = Generation("new", here.release("new"))
    here.gateway.hold(_watch(here, stable), 1.2)
    _switched(here, new)
    for _ in range(3):
        assert not shim_of(here.gateway).wait(0.6)
        assert here.gateway.renew("d-1", 1.2)
    assert not here.gateway.renew("d-2", 1.2)
    assert here.gateway.release_watch("d-1") and not here.gateway.renew("d-1", 1.2)
    assert not shim_of(here.gateway).wait(1.6)
    assert here.gateway.returned() is None and ask(here.public("backend")).release == "new"


def test_a_watch_that_nobody_renews_returns_traffic_without_a_loss(here: Site) -> None:
    stable = _switched(here, here.live("stable"))
    with Load(here.public("backend"), 4) as load:
        new = Generation("new", here.release("new"))
        here.gateway.hold(_watch(here, stable), 0.5)
        _switched(here, new)
        took = until(lambda: here.gateway.returned())
        assert took < 2.5
        assert ask(here.public("backend")).release == "stable" and ask(here.public("frontend")).release == "stable"
        load.served(20)
    assert load.lost == []
    returned, current = here.gateway.returned(), here.gateway.current(LIVE)
    assert returned is not None and returned.deployment == "d-1" and current == stable
    until(lambda: not here.gateway.renew("d-1", 1.0))
    with pytest.raises(Stale):
        here.gateway.switch(LIVE, Generation(release="new"))
    here.gateway.acknowledge()
    assert here.gateway.returned() is None
    here.live("next")


def test_traffic_returns_only_to_a_release_that_answers(here: Site) -> None:
    stable = _switched(here, here.live("stable"))
    old = list(here.running)
    new = Generation("new", here.release("new"))
    here.gateway.hold(_watch(here, stable), 0.3)
    _switched(here, new)
    for child in old:
        child.kill()
        child.wait()
    assert not shim_of(here.gateway).wait(2.2)
    assert here.gateway.returned() is None and ask(here.public("backend")).release == "new"
    for port in stable.stable.values():
        here.serve(port, "stable")
    until(lambda: here.gateway.returned())
    assert ask(here.public("backend")).release == "stable"


def test_the_next_shim_takes_over_the_watch(here: Site) -> None:
    stable = _switched(here, here.live("stable"))
    new = Generation("new", here.release("new"))
    here.gateway.hold(_watch(here, stable), 0.5)
    _switched(here, new)
    shim = shim_of(here.gateway)
    shim.signal(signal.SIGKILL)
    assert shim.wait(5) and here.gateway.start() == "adopted"
    until(lambda: here.gateway.returned())
    assert ask(here.public("backend")).release == "stable"
