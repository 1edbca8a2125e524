"""What we tell systemd about ourselves: ready, still alive, what we are at, stopping (sd_notify(3), no library)."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


@dataclass(frozen=True)
class Notifier:
    """`address` is where the messages go, empty when nobody listens. `watchdog_seconds` is the time within which
    somebody wants to hear that we are alive; 0 when nobody does."""

    address: str = ""
    watchdog_seconds: float = 0.0

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Notifier:
        """What NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID say; a watchdog of another process is none of ours."""
        ours = variables.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        microseconds = variables.get("WATCHDOG_USEC", "")
        watched = int(microseconds) / 1e6 if ours and microseconds.isdecimal() else 0.0
        return cls(variables.get("NOTIFY_SOCKET", ""), watched)

    def ready(self) -> bool:
        return self.tell("READY=1")

    def alive(self) -> bool:
        return self.tell("WATCHDOG=1")

    def stopping(self) -> bool:
        return self.tell("STOPPING=1")

    def status(self, sentence: str) -> bool:
        """One line for people, as `systemctl status` shows it."""
        return self.tell(f"STATUS={' '.join(sentence.split())}")

    def tell(self, message: str) -> bool:
        """Whether somebody was told; never waits, and failing at it is no failure of ours."""
        if not self.address:
            return False
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as own:
            own.setblocking(False)
            own.sendto(message.encode(), address)
            return True
        return False
