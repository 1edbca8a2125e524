"""The watch over a new release, as the gateway's shim guards it."""

import contextlib
import fcntl
import os
import socket
import time
from typing import Any

from aiimprove.shim.notes import boot_id, read_json, say, write_json


def answers_200(url: str) -> bool:
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.rpartition(":")
    try:
        with socket.create_connection((name, int(port)), timeout=1.0) as connection:
            connection.sendall(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            return connection.recv(64).split(b" ")[1:2] == [b"200"]
    except (OSError, ValueError):
        return False


class Lease:
    """Somebody must watch a new release: when they stop, traffic returns to `back_to`, once that answers."""

    def __init__(self, folder: str) -> None:
        self.watch, self.folder = os.path.join(folder, "watch.json"), folder

    def _lapsed(self) -> dict[str, Any] | None:
        watch = read_json(self.watch) if os.path.exists(self.watch) else None
        if watch is None:
            return None
        held = watch["boot"] == boot_id() and time.clock_gettime(time.CLOCK_BOOTTIME) < watch["until"]
        return None if held else watch

    def look(self) -> None:
        """Returns traffic when the watch lapsed; what cannot be done now is tried again at the next look."""
        try:
            self._look()
        except (OSError, KeyError) as error:
            say(f"cannot return traffic: {error!r}")

    def _look(self) -> None:
        watch = self._lapsed()
        if watch is None or not all(answers_200(url) for url in watch["check"]):
            return
        with open(os.path.join(self.folder, "watch.lock"), "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return
            if self._lapsed() == watch:
                self._go_back(watch)

    def _go_back(self, watch: dict[str, Any]) -> None:
        link = os.path.join(self.folder, watch["environment"])
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{link}.returning")
        os.symlink(watch["back_to"], f"{link}.returning")
        os.rename(f"{link}.returning", link)
        returned = {"deployment": watch["deployment"], "at": time.time(), "why": "nobody watched the new release"}
        if write_json(os.path.join(self.folder, "returned.json"), returned):
            os.unlink(self.watch)
