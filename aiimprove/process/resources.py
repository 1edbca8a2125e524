"""What a process and everything below it uses."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

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
