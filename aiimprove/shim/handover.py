"""A program that takes the sockets over from the one before, which goes on until the new one says that it is ready.

Both accept for a moment: nobody is refused and nobody waits. The word is that of systemd (sd_notify(3)): a datagram
with READY=1 to the socket named by NOTIFY_SOCKET. When it does not come, the one before stays, as if nothing had been.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

from aiimprove.shim.notes import runs, say, write_json
from aiimprove.shim.sockets import above

if TYPE_CHECKING:
    from aiimprove.shim.keeping import Shim

READY_SECONDS = 15.0
PROVEN_SECONDS = 0.5
"""Caddy says READY=1 also right before it ends because it cannot use its config."""


class Leaving:
    """A program that was replaced: it ends what it has under way, and is killed when that takes too long."""

    def __init__(self, child: dict[str, Any], pidfd: int, seconds: float) -> None:
        self.child, self.pidfd, self.kill_at = child, pidfd, time.monotonic() + seconds
        with contextlib.suppress(OSError):
            os.killpg(child["pid"], signal.SIGTERM)

    def gone(self) -> bool:
        if runs(self.child) and time.monotonic() >= self.kill_at:
            os.killpg(self.child["pid"], signal.SIGKILL)
        if runs(self.child):
            return False
        os.close(self.pidfd)
        return True


class Handover:
    """From the start of the new program, which is the shim's child from here on, to its word. Raises OSError when it
    cannot even be started; then everything is as before."""

    def __init__(self, shim: Shim, spec: dict[str, Any]) -> None:
        assert shim.child is not None
        self.shim, self.until, self.proven = shim, time.monotonic() + READY_SECONDS, float("inf")
        self.child, self.pidfd, self.spec, self.sockets = shim.child, shim.pidfd, shim.spec, shim.sockets
        self.path = os.path.join(shim.home, "ready")
        self.words = self._listening()
        shim.handover = self
        shim.child, shim.pidfd = None, -1
        shim.spec = spec | {"env": spec["env"] | {"NOTIFY_SOCKET": self.path}}
        shim.note()  # before anybody can see the new program
        try:
            shim.spawn()
        except OSError:
            self.undo()
            raise

    def _listening(self) -> socket.socket:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        own = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        own.bind(self.path)
        own.setblocking(False)
        own = socket.socket(fileno=above(own.detach()))
        self.shim.poll.register(own, select.POLLIN)
        return own

    def look(self) -> None:
        """Ends the handover when the new program is ready; kills one that takes too long."""
        with contextlib.suppress(BlockingIOError):
            while words := self.words.recv(4096):
                self.proven = time.monotonic() + PROVEN_SECONDS if b"READY=1" in words else self.proven
        if time.monotonic() >= self.proven:
            self._done()
        elif time.monotonic() >= self.until and self.shim.child:
            os.kill(self.shim.child["pid"], signal.SIGKILL)

    def _done(self) -> None:
        self._close()
        self.shim.poll.unregister(self.pidfd)
        for own in self.sockets:
            if own not in self.shim.sockets:
                with contextlib.suppress(OSError):
                    own.shutdown(socket.SHUT_RDWR)  # for the one before, too
                own.close()
        self.shim.leaving.append(Leaving(self.child, self.pidfd, self.shim.spec.get("stop_seconds", 10.0)))
        self.shim.note()

    def undo(self) -> None:
        """The new program is dead: the one before stays."""
        self._close()
        shim = self.shim
        say(f"{shim.spec['argv'][0]} did not get ready; the one before goes on")
        for own in shim.sockets:
            if own not in self.sockets:
                own.close()
        shim.child, shim.pidfd, shim.spec, shim.sockets = self.child, self.pidfd, self.spec, self.sockets
        shim.failed += 1
        write_json(os.path.join(shim.home, "child.json"), self.child)
        write_json(os.path.join(shim.home, "spec.json"), self.spec)
        shim.note()

    def _close(self) -> None:
        self.shim.handover = None
        self.shim.poll.unregister(self.words)
        self.words.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
