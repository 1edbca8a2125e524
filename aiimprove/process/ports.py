"""TCP ports of this machine: who holds them, which are free, and how many connections they have."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aiimprove.process.ancestry import descends
from aiimprove.process.identity import Identity

_ESTABLISHED, _LISTENING = "01", "0A"


@dataclass(frozen=True)
class _Socket:
    port: int
    state: str
    inode: str


def _sockets() -> Iterator[_Socket]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for row in Path(table).read_text().splitlines()[1:]:
                fields = row.split()
                yield _Socket(int(fields[1].rpartition(":")[2], 16), fields[3], fields[9])


def established(ports: Collection[int]) -> int:
    """How many connections are open whose local end is one of these ports."""
    return sum(1 for found in _sockets() if found.state == _ESTABLISHED and found.port in ports)


def port_holder(port: int) -> tuple[str, int] | None:
    """Name and pid of who listens on a port; ("unknown", 0) when that process may not be seen; None when free."""
    inodes = {found.inode for found in _sockets() if found.state == _LISTENING and found.port == port}
    if not inodes:
        return None
    pids = sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    for pid in pids:
        if _holds(pid, inodes):
            with suppress(OSError):
                return Path(f"/proc/{pid}/comm").read_text().strip(), pid
    return "unknown", 0


def stranger_on(port: int, keeper: Identity | None) -> tuple[str, int] | None:
    """Name and pid of who listens on a port and is known not to descend from its keeper."""
    holder = port_holder(port)
    known = holder is not None and holder[1] and keeper is not None and not descends(holder[1], keeper.pid)
    return holder if known else None


def _holds(pid: int, inodes: Collection[str]) -> bool:
    wanted = {f"socket:[{inode}]" for inode in inodes}
    try:
        descriptors = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    for descriptor in descriptors:
        with suppress(OSError):
            if os.readlink(f"/proc/{pid}/fd/{descriptor}") in wanted:
                return True
    return False


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 on which nobody listens, outside the range that outgoing connections use up."""
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    candidates = range(first - 10000, first) if first > 20000 else range(min(last, 60000) + 1, 65536)
    found: list[int] = []
    for port in random.sample(candidates, len(candidates)):
        if len(found) == count:
            break
        if _bindable(port):
            found.append(port)
    return found


def _bindable(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
