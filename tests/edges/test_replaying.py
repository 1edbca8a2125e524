"""Which recorded requests are replayed, and what reaches the two releases."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from traffic_site import SERVICE
from traffic_waiting import until

from aiimprove import process, replaying
from aiimprove.gateway import Answer
from aiimprove.replaying import Asked, Recorded, Replays


def _answer(uri: str, method: str = "GET", status: int = 200, seconds: float = 0.01, *, finished: bool = True,
            failed: bool = False) -> Answer:
    return Answer("live", 1, "r1", "stable", "site", method, uri, status, seconds, 0.0, failed, finished)


@pytest.mark.parametrize(("answer", "replayed"), [
    (_answer("/page?x=1"), True), (_answer("/page", "POST"), False), (_answer("/page", "HEAD"), False),
    (_answer("/page", status=302), False), (_answer("/page", status=500), False), (_answer("/page", status=404), False),
    (_answer("/page", failed=True), False), (_answer("/page", finished=False), False),
    (_answer("/page", seconds=5.0), False), (_answer("/api/ai-status"), False), (_answer("//api/ai-status"), False),
    (_answer("http://elsewhere/"), False)])
def test_only_good_reads_of_visitors_are_replayed(answer: Answer, replayed: bool) -> None:
    recorded = Recorded()
    recorded.keep([answer])
    assert list(recorded.asked) == ([Asked("site", answer.uri)] if replayed else [])


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """A good release and a failing one."""
    good, bad = process.free_ports(2)
    started = [subprocess.Popen([sys.executable, "-I", str(SERVICE), *words])
               for words in ([str(good), "good"], [str(bad), "bad", "failing"])]
    until(lambda: process.port_holder(good) and process.port_holder(bad))
    yield good, bad
    for each in started:
        each.kill()
        each.wait()


def test_both_releases_are_asked_in_random_order(ports: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    recorded, sent = Recorded(), list[int]()
    recorded.keep([_answer("/page?x=%20y")])
    original = Replays._send

    def noted(self: Replays, side: int, asked: Asked) -> tuple[bool, float]:
        sent.append(side)
        return original(self, side, asked)

    monkeypatch.setattr(Replays, "_send", noted)
    with ExitStack() as opened:
        replays = Replays({"site": ports[1]}, {"site": ports[0]}, opened)
        pairs = [replays.replay(recorded) for _ in range(20)]
    assert all(pair and pair.bad == (True, False) and 0 < min(pair.seconds) < 2 for pair in pairs)
    assert {tuple(sent[at:at + 2]) for at in range(0, 40, 2)} == {(0, 1), (1, 0)}


def test_what_reaches_the_app(ports: tuple[int, int]) -> None:
    with ExitStack() as opened:
        replays = Replays({"site": ports[0]}, {"site": ports[0]}, opened)
        told = json.loads(replays._lines[0]["site"].send("GET", "/x", headers={replaying.HEADER: "yes"}).body)
    names = {name.lower() for name, _ in told["headers"]}
    assert "x-aiimprove-replay" in names and not names & {"cookie", "authorization"}


def test_a_release_that_is_gone_answers_badly_and_nothing_recorded_is_nothing_replayed() -> None:
    gone = process.free_ports(1)[0]
    recorded = Recorded()
    with ExitStack() as opened:
        replays = Replays({"site": gone}, {"site": gone}, opened)
        assert replays.replay(recorded) is None
        recorded.keep([_answer("/page")])
        pair = replays.replay(recorded)
    assert pair and pair.bad == (True, True)
