"""A gateway that is replaced by another one while it is used: nobody is refused, nothing is lost."""

from __future__ import annotations

import http.client
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from test_drain import HANDSHAKE
from traffic_site import Load, Site, ask, caddy_of, shim_of, site
from traffic_waiting import until

from aiimprove.errors import ReleaseFailed
from aiimprove.gateway import Gateway, caddy


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(caddy, "SHUTDOWN_DELAY", 2.0)
    with site(tmp_path) as here:
        yield here


def test_an_upgrade_under_load_keeps_every_connection(here: Site) -> None:
    here.live("one")
    port = here.public("backend")
    with Load(port, 6) as keeping, Load(port, 2, reconnect=True) as fresh:
        for seconds in (8.0, 9.0):
            keeping.served(30)
            before = caddy_of(here.gateway)
            assert Gateway(here.config, held_seconds=seconds).start() == "reconfigured"
            assert caddy_of(here.gateway) != before
            fresh.served(10)
            assert before.wait(10), "the old one never ended"
    assert keeping.lost == []
    assert len(fresh.lost) <= 2, "at most the connection that the old one takes at the moment at which it ends"
    assert {status for status, _ in keeping.answers + fresh.answers} == {200}


def test_what_is_under_way_finishes_on_the_old_gateway(here: Site) -> None:
    here.live("one")
    port, before = here.public("backend"), caddy_of(here.gateway)
    stream = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    stream.request("GET", "/sse?n=30")
    answer = stream.getresponse()
    upload = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    upload.putrequest("POST", "/row")
    upload.putheader("Content-Length", "20")
    upload.endheaders()
    with socket.create_connection(("127.0.0.1", port), timeout=15) as wire:
        wire.sendall(HANDSHAKE)
        assert b" 101 " in wire.recv(4096)
        assert Gateway(here.config, held_seconds=8.0).start() == "reconfigured"
        began = time.monotonic()
        for _ in range(20):
            upload.send(b"x")
            time.sleep(0.1)
        assert upload.getresponse().status == 200 and time.monotonic() - began > 1.5
        assert b"data: 29" in answer.read()
        received = b""
        while piece := wire.recv(4096):
            received += piece
        assert received[:1] == b"\x88", "a WebSocket is told that it ends"
    assert before.wait(10)


def test_a_gateway_that_does_not_start_changes_nothing(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    here.live("one")
    before, shim = caddy_of(here.gateway), shim_of(here.gateway)
    honest = caddy.config
    monkeypatch.setattr(caddy, "config", lambda *words: honest(*words) | {"apps": {"nonsense": {}}})
    with Load(here.public("backend"), 2) as load:
        load.served(10)
        with pytest.raises(ReleaseFailed, match="the one before serves"):
            Gateway(here.config).start()
        load.served(10)
    assert load.lost == [] and (caddy_of(here.gateway), shim_of(here.gateway)) == (before, shim)
    monkeypatch.undo()
    before.signal(signal.SIGKILL)
    assert ask(here.public("backend")).release == "one", "the config of the one that served is gone"
    assert Gateway(replace(here.config, host="127.0.0.1")).start() in ("running", "reconfigured")


def test_a_shim_killed_while_one_takes_over_from_the_other_leaves_one(here: Site) -> None:
    here.live("one")
    before, shim = caddy_of(here.gateway), shim_of(here.gateway)
    assert Gateway(here.config, held_seconds=8.0).start() == "reconfigured"
    shim.signal(signal.SIGKILL)
    assert shim.wait(5) and Gateway(here.config, held_seconds=8.0).start() == "adopted"
    assert before.wait(10) and ask(here.public("backend")).release == "one"
    until(lambda: here.gateway.running())
