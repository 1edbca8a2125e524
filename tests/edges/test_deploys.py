"""Whole deploys, one release in the place of another, while visitors post, stream, wait and talk."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from test_slots import _release, _service
from traffic_site import Load, make_config

from aiimprove.gateway import Gateway, Generation
from aiimprove.release import Environment, Slot
from aiimprove.settings import Config, Deploy
from aiimprove.slots import Slots

LIVE = Environment.LIVE
Conversation = Callable[[int], bool]


def _streams(port: int) -> bool:
    return b"data: 4" in _read_all(port, b"GET /sse?n=5 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")


def _waits(port: int) -> bool:
    return b" 200 OK" in _read_all(port, b"GET /?s=0.5 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")


def _read_all(port: int, request: bytes) -> bytes:
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
        connection.sendall(request)
        while chunk := connection.recv(65536):
            received += chunk
    return received


@contextmanager
def _again_and_again(conversation: Conversation, port: int, results: list[bool]) -> Iterator[None]:
    over = threading.Event()

    def talk() -> None:
        while not over.is_set():
            results.append(conversation(port))

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _served_config(folder: Path) -> Config:
    config = make_config(folder)
    services = {name: replace(_service(), live_port=each.live_port) for name, each in config.services.items()}
    return replace(config, services=services, deploy=Deploy(start_seconds=20.0, healthy_answers=2, stop_seconds=2.0))


def test_deploys_lose_nothing(tmp_path: Path) -> None:
    config = _served_config(tmp_path)
    gateway, slots = Gateway(config), Slots(config)
    streamed: list[bool] = []
    waited: list[bool] = []
    port = config.services["backend"].live_port
    try:
        gateway.start()
        old = slots.start(_release(config, "r0"), Slot.BLUE, LIVE)
        gateway.switch(LIVE, Generation(old.release, old.ports))
        with (Load(port, 6) as keeping, Load(port, 2, reconnect=True) as fresh,
              _again_and_again(_streams, port, streamed), _again_and_again(_waits, port, waited)):
            for number in range(1, 3):
                new = slots.start(_release(config, f"r{number}"), old.slot.other, LIVE)
                gateway.switch(LIVE, Generation(new.release, new.ports))
                assert slots.drain(old, 20)
                slots.stop(old)
                old = new
        assert keeping.lost == fresh.lost == [] and {status for status, _ in keeping.answers + fresh.answers} == {200}
        assert all(streamed) and all(waited) and len(streamed) > 2 and len(waited) > 2
    finally:
        gateway.stop()
        for running in slots.running(LIVE).values():
            slots.stop(running)
