"""A gateway with small real services behind it, and a client that never retries."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from traffic_waiting import until

from aiimprove import process
from aiimprove.gateway import Gateway, Generation
from aiimprove.process import Identity
from aiimprove.release import Environment
from aiimprove.settings import Config, Service

SERVICE = Path(__file__).with_name("traffic_service.py")


@dataclass
class Said:
    status: int
    headers: list[tuple[str, str]]
    text: str

    @property
    def told(self) -> dict[str, Any]:
        content = json.loads(self.text)
        assert isinstance(content, dict)
        return content

    @property
    def release(self) -> str:
        return str(self.told["release"])

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def received(self, name: str) -> list[str]:
        """What reached the service in this request header."""
        return [value for key, value in self.told["headers"] if key.lower() == name.lower()]


def ask(port: int, path: str = "/", method: str = "GET", body: str | None = None,
        headers: Mapping[str, str] | None = None, **more: str) -> Said:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}) | more)
        answer = connection.getresponse()
        return Said(answer.status, answer.getheaders(), answer.read().decode())
    finally:
        connection.close()


def raw(port: int, request: str) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received.decode()


@dataclass
class Site:
    """`ports` of a release: backend and frontend."""

    gateway: Gateway
    config: Config
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def public(self, service: str, environment: Environment = Environment.LIVE) -> int:
        named = self.config.services[service]
        return named.live_port if environment is Environment.LIVE else named.dev_port

    def release(self, name: str, *, failing: bool = False) -> dict[str, int]:
        """Starts both services of a release; returns when they answer."""
        ports = dict(zip(self.config.services, process.free_ports(len(self.config.services)), strict=True))
        for port in ports.values():
            self.serve(port, name, failing=failing)
        return ports

    def serve(self, port: int, name: str, *, failing: bool = False) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-I", str(SERVICE), str(port), name] + (["failing"] if failing else [])
        child = process.start(argv, cwd=Path("/"), env={"PATH": os.environ["PATH"]},
                              log=self.config.logs_folder / f"{name}.log", die_with_parent=True)
        self.running.append(child)
        until(lambda: process.port_holder(port))
        return child

    def live(self, name: str) -> Generation:
        """A release, started and put live."""
        generation = Generation(release=name, stable=self.release(name))
        self.gateway.switch(Environment.LIVE, generation)
        return generation

    def end(self) -> None:
        self.gateway.stop()
        for child in self.running:
            child.kill()
            child.wait()


def make_config(folder: Path, approvals: str = "frontend") -> Config:
    ports = process.free_ports(4)
    return Config(
        approvals=approvals, state_folder=folder / "state", logs_folder=folder / "logs", services={
            "backend": Service(live_port=ports[0], dev_port=ports[1]),
            "frontend": Service(live_port=ports[2], dev_port=ports[3])})


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    config = make_config(folder)
    here = Site(Gateway(config), config)
    try:
        assert here.gateway.start() == "started"
        yield here
    finally:
        here.end()
        shim, caddy = here.gateway.identities()
        assert shim is None and caddy is None


def shim_of(gateway: Gateway) -> Identity:
    shim = gateway.identities()[0]
    assert shim is not None
    return shim


def caddy_of(gateway: Gateway) -> Identity:
    caddy = gateway.identities()[1]
    assert caddy is not None
    return caddy


class Load:
    """POSTs over keep-alive connections from several threads, none of them ever sent twice."""

    def __init__(self, port: int, threads: int = 8, *, reconnect: bool = False) -> None:
        self.answers: list[tuple[int, str]] = []
        self.lost: list[str] = []
        self._port, self._over, self._reconnect = port, threading.Event(), reconnect
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=15)
        while not self._over.is_set():
            try:
                connection.request("POST", "/row", body="x" * 100)
                answer = connection.getresponse()
                self.answers.append((answer.status, json.loads(answer.read())["release"]))
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.lost.append(repr(error))
                connection.close()
            if self._reconnect:
                connection.close()
            self._over.wait(0.002)
        connection.close()

    def served(self, count: int) -> None:
        """Waits until so many more answers came."""
        wanted = len(self.answers) + count
        until(lambda: len(self.answers) >= wanted, 20)
