"""Where a process comes from, and which ones belong to somewhere."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event

from aiimprove.process.identity import Identity


def descends_from(marker: str) -> bool:
    """Whether any ancestor of this process has `marker` in its command line."""
    return any(marker in _words(pid) for pid in _line_of_descent(os.getppid()) if pid > 1)


def descends(pid: int, ancestor: int) -> bool:
    """Whether a process is `ancestor` or descends from it."""
    return ancestor in _line_of_descent(pid)


def children(parent: Identity) -> list[Identity]:
    """The processes that a process started itself and that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and _parent(int(entry.name)) == parent.pid:
                identity = Identity.of(int(entry.name))
                found += [identity] if identity is not None and identity.alive() else []
    return found if parent.alive() else []


def named(marker: str) -> list[Identity]:
    """Every process with `marker` in its command line, but for this one and its ancestors."""
    own, found = set(_line_of_descent(os.getpid())), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in own and marker in _words(int(entry.name)):
            identity = Identity.of(int(entry.name))
            if identity is not None and identity.alive():
                found.append(identity)
    return found


def runs(process: Identity, program: str) -> bool:
    """Whether a process runs the program of that file name."""
    try:
        return Path(f"/proc/{process.pid}/exe").readlink().name == program and process.alive()
    except OSError:
        return False


def until_gone(marker: str, seconds: float) -> list[Identity]:
    """Wait until no process has `marker` in its command line; those that are left after `seconds`."""
    deadline, pause = time.monotonic() + seconds, Event()
    while (left := named(marker)) and time.monotonic() < deadline:
        pause.wait(0.05)
    return left


def _line_of_descent(pid: int) -> Iterator[int]:
    """A process and its ancestors, as far as they can be seen."""
    with suppress(OSError):
        while pid > 0:
            yield pid
            pid = _parent(pid)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _words(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""
