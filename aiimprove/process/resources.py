"""What a process and everything below it uses."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aiimprove.process.identity import Identity


@dataclass(frozen=True)
class Resources:
    """Processor time so far (seconds) and memory now (bytes), of a process and all its descendants that still run."""

    cpu_seconds: float
    rss_bytes: int


def resources(identity: Identity) -> Resources:
    """Processor time and memory of the process and everything below it; zero when it is gone."""
    import psutil

    cpu, rss = 0.0, 0
    with suppress(psutil.NoSuchProcess):
        head = psutil.Process(identity.pid) if identity.alive() else None
        for each in [head, *head.children(recursive=True)] if head else []:
            with suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                cpu, rss = cpu + times.user + times.system, rss + each.memory_info().rss
    return Resources(round(cpu, 2), rss)


@dataclass(frozen=True)
class Meter:
    """What some processes use, read often and finely. Who they are is settled when the meter is made."""

    processes: tuple[Identity, ...]

    @classmethod
    def of(cls, identity: Identity) -> Meter:
        """For a process and everything below it now."""
        import psutil

        with suppress(psutil.NoSuchProcess):
            pids = [identity.pid, *(each.pid for each in psutil.Process(identity.pid).children(recursive=True))]
            return cls(tuple(found for pid in pids if (found := Identity.of(pid))))
        return cls((identity,))

    def seconds(self) -> float:
        """Processor time so far, to the nanosecond, threads that ended included (clock_getcpuclockid(3)); that of
        children that ended to a hundredth of a second. What a process used that is gone itself is not in it."""
        return sum(_clock(each.pid) for each in self.processes) + _of_children(self.processes)

    def bytes(self) -> int:
        """Memory now: proportional to how many share it (PSS) where the kernel tells us, else resident."""
        import psutil

        found = 0
        for each in self.processes:
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(each.pid)
                try:
                    found += process.memory_full_info().pss
                except psutil.AccessDenied:
                    found += process.memory_info().rss
        return found


def _clock(pid: int) -> float:
    whole_process = 2
    try:
        return time.clock_gettime(~pid << 3 | whole_process)
    except OSError:
        return 0.0


def _of_children(processes: Iterable[Identity]) -> float:
    ticks = 0
    for each in processes:
        with suppress(OSError):
            user, system = Path(f"/proc/{each.pid}/stat").read_text().rpartition(")")[2].split()[13:15]
            ticks += int(user) + int(system)
    return ticks / os.sysconf("SC_CLK_TCK")
