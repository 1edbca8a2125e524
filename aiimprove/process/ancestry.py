"""Where a process comes from, and which ones belong to somewhere."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from threading import Event

from aiimprove.process.identity import Identity


def descends_from(marker: str) -> bool:
    """Whether any ancestor of this process has `marker` in its command line."""
    pid = os.getppid()
    while pid > 1:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
            parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            return False
        if marker in words:
            return True
        pid = int(parent)
    return False


def descends(pid: int, ancestor: int) -> bool:
    """Whether a process is `ancestor` or descends from it."""
    while pid > 1 and pid != ancestor:
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return pid == ancestor


def children(parent: Identity) -> list[Identity]:
    """The processes that a process started itself and that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent.pid:
                identity = Identity.of(int(entry.name))
                found += [identity] if identity is not None and identity.alive() else []
    return found if parent.alive() else []


def named(marker: str) -> list[Identity]:
    """Every process with `marker` in its command line, but for this one and its ancestors."""
    own, found = _line_of_descent(), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in own and marker in _words(int(entry.name)):
            identity = Identity.of(int(entry.name))
            if identity is not None and identity.alive():
                found.append(identity)
    return found


def until_gone(marker: str, seconds: float) -> list[Identity]:
    """Wait until no process has `marker` in its command line; those that are left after `seconds`."""
    deadline, pause = time.monotonic() + seconds, Event()
    while (left := named(marker)) and time.monotonic() < deadline:
        pause.wait(0.05)
    return left


def _line_of_descent() -> set[int]:
    pid, own = os.getpid(), set()
    while pid > 0:
        own.add(pid)
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            break
    return own


def _words(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""
