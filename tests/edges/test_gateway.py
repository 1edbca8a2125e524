"""Traffic through the real Caddy: switches, canaries, kills, adoption."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from traffic_site import Load, Site, ask, caddy_of, make_config, raw, shim_of, site
from traffic_waiting import until

from aiimprove.errors import Refused
from aiimprove.gateway import Gateway, Generation
from aiimprove.release import Environment

LIVE, DEV = Environment.LIVE, Environment.DEV


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as here:
        yield here


def test_without_a_release_the_gateway_says_so(here: Site) -> None:
    said = ask(here.public("backend"))
    assert said.status == 503 and said.values("Retry-After") == ["5"] and said.text.count(".") == 2
    assert ask(here.public("frontend", DEV)).status == 503


def test_starting_again_changes_nothing(here: Site) -> None:
    caddy, shim = caddy_of(here.gateway), shim_of(here.gateway)
    assert Gateway(here.config).start() == "running"
    assert (caddy_of(here.gateway), shim_of(here.gateway)) == (caddy, shim)


def test_both_services_switch_in_one_step_and_say_what_they_replaced(here: Site) -> None:
    first = here.live("one")
    second = here.release("two")
    replaced = here.gateway.switch(LIVE, Generation(release="two", stable=second))
    assert replaced is not None and (replaced.release, replaced.stable) == ("one", first.stable)
    for service in here.config.services:
        assert ask(here.public(service)).release == "two"
    current = Gateway(here.config).current(LIVE)
    assert current is not None and current.number == replaced.number + 1
    here.gateway.switch(LIVE, replaced)
    assert ask(here.public("backend")).release == "one"
    assert ask(here.public("backend", DEV)).status == 503


def test_switching_under_load_loses_nothing(here: Site) -> None:
    generations = [Generation(release=name, stable=here.release(name)) for name in ("one", "two")]
    here.gateway.switch(LIVE, generations[0])
    with Load(here.public("backend")) as keeping, Load(here.public("backend"), 2, reconnect=True) as fresh:
        for number in range(30):
            keeping.served(20)
            began = time.monotonic()
            here.gateway.switch(LIVE, generations[number % 2])
            assert time.monotonic() - began < 0.5
            assert ask(here.public("backend")).release == generations[number % 2].release
    assert keeping.lost == [] and fresh.lost == []
    assert {status for status, _ in keeping.answers + fresh.answers} == {200}
    assert {release for _, release in keeping.answers} == {"one", "two"}


def test_old_generations_are_pruned_but_never_the_ones_in_force(here: Site) -> None:
    here.gateway.switch(DEV, Generation(release="dev"))
    for _ in range(30):
        here.gateway.switch(LIVE, Generation(release="live"))
    assert len(list((here.gateway.folder / "gen").iterdir())) <= 22
    current = here.gateway.current(DEV)
    assert current is not None and current.release == "dev"


def test_a_killed_caddy_costs_only_what_was_in_flight(here: Site) -> None:
    here.live("one")
    port = here.public("backend")
    for _ in range(3):
        caddy = caddy_of(here.gateway)
        assert caddy.signal(signal.SIGKILL) and caddy.wait(5)
        began = time.monotonic()
        assert ask(port).release == "one"
        assert time.monotonic() - began < 2
        until(lambda caddy=caddy: here.gateway.identities()[1] not in (None, caddy))  # type: ignore[misc]
        assert here.gateway.start() == "running"


def test_a_killed_shim_disturbs_nobody_and_the_next_adopts_caddy(here: Site) -> None:
    here.live("one")
    caddy, shim = caddy_of(here.gateway), shim_of(here.gateway)
    with Load(here.public("backend"), 4) as load:
        load.served(50)
        shim.signal(signal.SIGKILL)
        load.served(50)
        assert shim.wait(5) and here.gateway.start() == "adopted"
        load.served(50)
    assert load.lost == [] and caddy_of(here.gateway) == caddy and shim_of(here.gateway) != shim
    assert caddy.signal(signal.SIGKILL) and caddy.wait(5)
    assert ask(here.public("backend")).release == "one"


def test_a_killed_shim_and_a_killed_caddy_start_again(here: Site) -> None:
    here.live("one")
    for who in (shim_of(here.gateway), caddy_of(here.gateway)):
        who.signal(signal.SIGKILL)
        assert who.wait(5)
    assert not here.gateway.running() and here.gateway.start() == "started"
    assert ask(here.public("frontend")).release == "one"


def test_a_killed_service_costs_nothing_when_it_comes_back(here: Site) -> None:
    generation = here.live("one")
    port = generation.stable["backend"]
    dead = next(child for child in here.running if str(port) in " ".join(map(str, child.args)))  # type: ignore[arg-type]
    dead.kill()
    dead.wait()
    with Load(here.public("backend"), 2) as load:
        here.serve(port, "one")
        load.served(10)
    assert load.lost == [] and {status for status, _ in load.answers} == {200}


def test_a_dead_service_is_never_an_empty_answer(here: Site) -> None:
    assert Gateway(here.config, held_seconds=0.5).start() == "reconfigured"
    here.gateway.switch(LIVE, Generation(release="gone", stable={"backend": 1, "frontend": 1}))
    said = ask(here.public("backend"))
    assert said.status == 503 and said.text and said.values("Retry-After") == ["5"]


def test_other_doors_are_opened_without_a_pause_for_the_ones_that_stay(here: Site, tmp_path: Path) -> None:
    here.live("one")
    changed = make_config(tmp_path)
    services = dict(changed.services)
    services["frontend"] = here.config.services["frontend"]
    object.__setattr__(changed, "services", services)
    caddy = caddy_of(here.gateway)
    assert Gateway(changed).start() == "reconfigured"
    assert ask(services["backend"].live_port).release == "one"
    assert ask(here.public("frontend")).release == "one"
    assert caddy_of(here.gateway) != caddy
    with pytest.raises(ConnectionRefusedError):
        ask(here.public("backend"))


def test_a_taken_port_is_refused_by_name(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    port = config.services["backend"].live_port
    with socket.create_server(("127.0.0.1", port)), pytest.raises(Refused, match=rf"port {port} .*held by .*pid \d+"):
        Gateway(config).start()
    assert not Gateway(config).running()


def test_an_event_stream_passes_as_it_comes(here: Site) -> None:
    here.live("one")
    with socket.create_connection(("127.0.0.1", here.public("backend")), timeout=10) as stream:
        stream.sendall(b"GET /sse?n=5 HTTP/1.1\r\nHost: x\r\n\r\n")
        began, received = time.monotonic(), b""
        while b"data: 0" not in received:
            received += stream.recv(4096)
        assert time.monotonic() - began < 0.4
        here.live("two")
        while b"data: 4" not in received:
            received += stream.recv(4096)


def test_a_websocket_passes_and_outlives_a_switch(here: Site) -> None:
    here.live("one")
    with socket.create_connection(("127.0.0.1", here.public("backend")), timeout=10) as wire:
        wire.sendall(b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                     b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        assert b"101 Switching" in wire.recv(4096)
        for text in (b"hello", b"again"):
            wire.sendall(text)
            echoed = b""  # "one:" before each piece, in as many pieces as the wire makes of it
            while echoed.replace(b"one:", b"") != text:
                piece = wire.recv(4096)
                assert piece, echoed
                echoed += piece
            here.live("two")


def test_development_answers_say_what_they_show(here: Site) -> None:
    here.gateway.switch(DEV, Generation(release="dev", stable=here.release("dev"), banner="Faster\r\nsearch: ä"))
    said = ask(here.public("frontend", DEV))
    assert said.release == "dev" and said.values("X-Aiimprove-Dev") == ["Faster search: ?"]
    here.live("one")
    assert ask(here.public("frontend")).values("X-Aiimprove-Dev") == []


def test_the_first_line_of_an_answer_is_http_even_for_nonsense(here: Site) -> None:
    here.live("one")
    assert raw(here.public("backend"), "NONSENSE\n\n").startswith("HTTP/1.1 400")
