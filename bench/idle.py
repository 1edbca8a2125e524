"""What `aiimprove run` costs while there is nothing to do, on the intervals that it has by itself.

It first does what there is to do on the bundled site (looks, writes, proves, until one improvement waits for an
answer); then a minute is measured: processor time of the process and of every child that it had, and its memory.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from aiimprove.process import Identity
from aiimprove.shim.kept import Kept
from aiimprove.system import start_loop
from bench.figures import Figures, Target, Wanted, main
from bench.ground import own_intervals, standing, workspace
from bench.site import Site, until

SECONDS = 60.0
SETTLING_SECONDS = 900.0
MOST_CPU_PERCENT, MOST_MEGABYTES = 0.5, 60.0


def measure(wanted: Wanted) -> Figures:
    with standing(wanted, change=lambda text: f"{own_intervals(text)}\n[limits]\nwaiting = 1\n") as site:
        engine = workspace(site)
        start_loop(engine)
        until(lambda: _waits(site), SETTLING_SECONDS, "no improvement waits for an answer")
        kept = Kept(site.state / "run" / "loop")
        rows = [_minute(kept) for _ in range(1 if wanted.short else 3)]
        assert _waits(site), "there was something to do"
    return Figures(rows, [
        Target("percent of a core", sorted(row["% of a core"] for row in rows)[len(rows) // 2], MOST_CPU_PERCENT),
        Target("memory of the process, MB", max(row["memory MB"] for row in rows), MOST_MEGABYTES)])


def _waits(site: Site) -> bool:
    """An improvement waits, dev shows it, and no step is under way."""
    seen = site.must("status")
    loop = Kept(site.state / "run" / "loop").state().program
    return bool(loop and seen["counts"].get("AWAITING_APPROVAL") and seen["dev_improvement"]
                and not seen["counts"].get("GENERATED") and not _children(loop.pid))


def _minute(kept: Kept) -> dict[str, float]:
    shim, loop = kept.state().shim, kept.state().program
    assert shim is not None and loop is not None
    began, before = time.monotonic(), [_cpu_seconds(each) for each in (loop, shim)]
    time.sleep(SECONDS)
    seconds = time.monotonic() - began
    used, used_by_shim = (_cpu_seconds(each) - then for each, then in zip((loop, shim), before, strict=True))
    return {"seconds": seconds, "CPU s": used, "% of a core": 100 * used / seconds, "memory MB": _megabytes(loop),
            "CPU s of its shim": used_by_shim, "memory MB of its shim": _megabytes(shim)}


def _cpu_seconds(process: Identity) -> float:
    """User and system time of a process and of the children that it has waited for."""
    assert process.alive(), "it died"
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _megabytes(process: Identity) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _children(pid: int) -> list[str]:
    return [child for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()]


if __name__ == "__main__":
    main("idle", __doc__, measure)
