"""Those who listen without an end: drained with a deadline, then ended as their protocol wants it."""

from __future__ import annotations

import http.client
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from test_slots import _release, _service
from traffic_site import make_config
from traffic_waiting import until

from aiimprove.gateway import Gateway, Generation
from aiimprove.release import Environment, Slot
from aiimprove.settings import Config, Deploy
from aiimprove.slots import RunningSlot, Slots

LIVE = Environment.LIVE
HANDSHAKE = (b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
             b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
STUBBORN = ("import runpy, signal, sys; sys.argv = ['traffic_service.py', '{port}', 'one'];"
            "signal.signal(15, signal.SIG_IGN); runpy.run_path(sys.argv[0], run_name='__main__')")


@pytest.fixture(params=["dies at once", "does not hear"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Config]:
    """Services that end their listeners by no means themselves."""
    start = [sys.executable, "-I", "traffic_service.py", "{port}", "one"]
    if request.param == "does not hear":
        start = [sys.executable, "-c", STUBBORN]
    config = make_config(tmp_path)
    services = {name: replace(_service(start=start), live_port=each.live_port)
                for name, each in config.services.items()}
    config = replace(config, services=services, deploy=Deploy(start_seconds=20.0, healthy_answers=1, stop_seconds=1.0))
    yield config
    Gateway(config).stop()
    for running in Slots(config).running(LIVE).values():
        Slots(config).stop(running)


def _live(config: Config, slot: Slot, name: str) -> RunningSlot:
    running = Slots(config).start(_release(config, name), slot, LIVE)
    Gateway(config).switch(LIVE, Generation(name, running.ports))
    return running


def test_listeners_are_ended_properly_after_the_deadline(config: Config) -> None:
    Gateway(config).start()
    old, port = _live(config, Slot.BLUE, "old"), config.services["backend"].live_port
    with socket.create_connection(("127.0.0.1", port), timeout=15) as wire:
        wire.sendall(HANDSHAKE)
        assert b" 101 " in wire.recv(4096)
        events = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        events.request("GET", "/chunked-events", headers={"Accept": "text/event-stream"})
        stream = events.getresponse()
        assert stream.readline() == b"data: 0\n"
        new = _live(config, Slot.GREEN, "new")
        assert not Slots(config).drain(old, 0.5)
        wire.sendall(b"still there")
        assert wire.recv(4096) == b"one:still there"
        Slots(config).stop(old)
        assert wire.recv(4096) == b"\x88\x02\x03\xf4"
        assert stream.read().endswith(b"\n\n"), "an IncompleteRead would have been raised when it was cut"
    assert Slots(config).running(LIVE) == {Slot.GREEN: new}


def test_the_time_of_those_under_way_begins_with_the_switch(config: Config) -> None:
    Gateway(config).start()
    old, port = _live(config, Slot.BLUE, "old"), config.services["backend"].live_port
    with socket.create_connection(("127.0.0.1", port), timeout=15) as wire:
        wire.sendall(HANDSHAKE)
        assert b" 101 " in wire.recv(4096)
        _live(config, Slot.GREEN, "new")
        Slots(config).retire(old)
        began = time.monotonic()
        assert not Slots(config).drain(old, 1.0)
        assert time.monotonic() - began > 0.8
        assert not Slots(config).drain(old, 1.0) and not Slots(config).drain(old, 1.0)
        assert time.monotonic() - began < 1.8, "each wait began anew"
    until(lambda: Slots(config).drain(old, 0))
