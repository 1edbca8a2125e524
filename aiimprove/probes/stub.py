"""A server that takes connections and never answers."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

ADDRESS = "http://stub.invalid/"
"""Stands in a request for the address of the stub, which has another port each time."""


@dataclass(frozen=True)
class Stub:
    """One that listens on this machine."""

    listening: socket.socket

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}/"

    def met(self) -> bool:
        """Whether somebody has connected: the kernel takes connections that nobody accepts."""
        return bool(select.select([self.listening], [], [], 0)[0])


@contextmanager
def hanging() -> Iterator[Stub]:
    """Listens until the block ends; who still waits then is cut off."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        yield Stub(listening)
