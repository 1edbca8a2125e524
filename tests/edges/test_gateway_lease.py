"""The watch over a new release: renewed, lapsed, taken over."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from traffic_site import Load, Site, ask, shim_of, site
from traffic_waiting import until

from aiimprove.errors import Stale
from aiimprove.gateway import Generation, Watch
from aiimprove.release import Environment

LIVE = Environment.LIVE


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as here:
        yield here


def _switched(here: Site, generation: Generation) -> Generation:
    here.gateway.switch(LIVE, generation)
    current = here.gateway.current(LIVE)
    assert current is not None
    return current


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
