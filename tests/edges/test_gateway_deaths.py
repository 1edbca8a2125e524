"""What visitors get when a service dies while they use it, through the real Caddy."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from subprocess import Popen

import pytest
from traffic_site import Said, Site, ask, site
from traffic_waiting import until

from aiimprove.gateway import Generation
from aiimprove.release import Environment

LIVE = Environment.LIVE


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as here:
        yield here


def _kill(here: Site, port: int) -> None:
    dead: Popen[bytes] = next(child for child in here.running if str(port) in map(str, child.args))  # type: ignore[union-attr]
    dead.kill()
    dead.wait()


class _Asking(threading.Thread):
    """A request that is under way while something else happens."""

    def __init__(self, port: int, path: str, method: str, body: str | None = None) -> None:
        super().__init__()
        self.said: Said | None = None
        self.seconds = 0.0
        self._words = (port, path, method, body)
        self.start()

    def run(self) -> None:
        began = time.monotonic()
        self.said = ask(*self._words)
        self.seconds = time.monotonic() - began

    def end(self) -> Said:
        self.join(20)
        assert self.said is not None
        return self.said


def _under_way(here: Site, port: int, count: int) -> None:
    """Until so many connections to a private port carry a request."""
    from aiimprove.process import established

    until(lambda: established({port}) >= count)


def test_a_read_waits_for_a_killed_service_and_a_write_under_way_fails_at_once(here: Site) -> None:
    generation = here.live("one")
    private, public = generation.stable["backend"], here.public("backend")
    read, write = _Asking(public, "/page?s=3", "GET"), _Asking(public, "/row?s=3", "POST", "x")
    _under_way(here, private, 2)
    _kill(here, private)
    failed = write.end()
    assert failed.status == 503 and failed.values("Retry-After") == ["5"] and write.seconds < 2
    unsent = _Asking(public, "/row", "POST", "y" * 70_000)
    here.serve(private, "one")
    assert read.end().status == 200
    assert unsent.end().told["body"] == "y" * 70_000


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_warm_slot_answers_reads_of_a_killed_one(here: Site, method: str) -> None:
    old, new = here.release("old"), here.release("new")
    here.gateway.switch(LIVE, Generation("new", new, spare=old))
    public = here.public("backend")
    assert ask(public).release == "new"
    read = _Asking(public, "/page?s=1", method)
    _under_way(here, new["backend"], 1)
    since = here.gateway.cursor()
    _kill(here, new["backend"])
    assert read.end().status == 200
    for _ in range(5):
        assert ask(public).release == "old" and ask(public, "/row", "POST", "x").release == "old"
    until(lambda: len(here.gateway.answers(since)[0]) >= 11)
    assert all(each.tried_again and each.release == "new" for each in here.gateway.answers(since)[0])
    assert ask(here.public("frontend")).release == "new"


def test_the_spare_is_no_way_around_a_stable_release_that_is_back(here: Site) -> None:
    new = here.release("new")
    here.gateway.switch(LIVE, Generation("new", new, spare={"backend": 1, "frontend": 1}))
    _kill(here, new["backend"])
    asked = [_Asking(here.public("backend"), "/row", "POST", "x") for _ in range(4)]
    here.serve(new["backend"], "new")
    assert {each.end().release for each in asked} == {"new"}


def test_the_buttons_routes_never_meet_another_release(here: Site) -> None:
    old, new = here.release("old"), here.release("new")
    here.gateway.switch(LIVE, replace(Generation("new", new), spare=old))
    _kill(here, new["frontend"])
    waiting = _Asking(here.public("frontend"), "/api/ai-status", "GET")
    assert ask(here.public("frontend"), "/other").release == "old"
    here.serve(new["frontend"], "new")
    assert waiting.end().release == "new"


def test_a_kept_alive_connection_survives_the_death_of_a_service(here: Site) -> None:
    generation = here.live("one")
    connection = http.client.HTTPConnection("127.0.0.1", here.public("backend"), timeout=15)
    for _ in range(2):
        connection.request("POST", "/row", "x")
        answer = connection.getresponse()
        assert answer.status == 200 and answer.read()
        _kill(here, generation.stable["backend"])
        here.running = [child for child in here.running if child.poll() is None]
        here.serve(generation.stable["backend"], "one")
    connection.close()
