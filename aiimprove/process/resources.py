"""What a process and everything below it uses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aiimprove.process.identity import Identity


@dataclass(frozen=True)
class Resources:
    """Processor time so far and memory now, of a process and all its descendants that still run."""

    cpu_seconds: float
    rss_bytes: int


@dataclass(frozen=True)
class _Usage:
    pid: int
    parent: int
    ticks: int
    pages: int


def _everyone() -> Iterator[_Usage]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            yield _Usage(int(entry.name), int(fields[1]), int(fields[11]) + int(fields[12]), int(fields[21]))


def resources(identity: Identity) -> Resources:
    """Processor time and memory of the process and everything below it; zero when it is gone."""
    if not identity.alive():
        return Resources(0.0, 0)
    everyone = list(_everyone())
    tree, size = {identity.pid}, 0
    while len(tree) > size:
        size = len(tree)
        tree |= {usage.pid for usage in everyone if usage.parent in tree}
    own = [usage for usage in everyone if usage.pid in tree]
    return Resources(sum(usage.ticks for usage in own) / os.sysconf("SC_CLK_TCK"),
                     sum(usage.pages for usage in own) * os.sysconf("SC_PAGE_SIZE"))
