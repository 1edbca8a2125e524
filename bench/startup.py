"""How long `aiimprove status --json`, which web pages poll, takes against a Python that does nothing.

The same interpreter runs each in turn, in a repository whose state holds 100 improvements and a day of health checks.
CPU is user + system time of the process, as the kernel counted it.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from aiimprove.finding import Finding, Kind, Probe
from aiimprove.improvement import Improvement
from aiimprove.store import Store
from bench.figures import Figures, Target, Wanted, main
from bench.site import SOURCE

ROUNDS, ROUNDS_SHORT = 150, 40
MOST = 2.5
NOTHING = "python -I -c pass"


def measure(wanted: Wanted) -> Figures:
    with tempfile.TemporaryDirectory() as scratch:
        folder, env = _repository(Path(scratch))
        ways = {NOTHING: [sys.executable, "-I", "-c", "pass"],
                "aiimprove status --json": [str(Path(sys.executable).with_name("aiimprove")), "status", "--json"],
                "python -P -m commands.app status --json": [sys.executable, "-P", "-m", "commands.app", "status",
                                                            "--json"]}
        seen: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(ROUNDS_SHORT if wanted.short else ROUNDS):
            for name, argv in ways.items():
                seen[name].append(_once(argv, folder, env))
    medians = {name: tuple(map(statistics.median, zip(*times, strict=True))) for name, times in seen.items()}
    cpu, wall = medians[NOTHING]
    rows = [{"what": name, "runs": len(seen[name]), "cpu ms": 1000 * each[0], "wall ms": 1000 * each[1],
             "cpu ratio": each[0] / cpu, "wall ratio": each[1] / wall} for name, each in medians.items()]
    targets = [Target(f"{row['what']}: {of} against {NOTHING}", row[f"{of} ratio"], MOST)
               for row in rows[1:] for of in ("cpu", "wall")]
    return Figures(rows, targets)


def _once(argv: Sequence[str], folder: Path, env: dict[str, str]) -> tuple[float, float]:
    """CPU and wall seconds of one run that must succeed."""
    began = time.perf_counter()
    child = subprocess.Popen(argv, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(argv)} exited {child.returncode}")
    return used.ru_utime + used.ru_stime, seconds


def _repository(scratch: Path) -> tuple[Path, dict[str, str]]:
    """A repository with our config and a state that is worth reading, stamped by one full command."""
    folder, state = scratch / "site", scratch / "state"
    folder.mkdir()
    shutil.copy(SOURCE / "config.toml", folder)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    _fill(Store(state / "state.db"))
    env = {"PATH": os.environ["PATH"], "HOME": str(scratch), "LANG": "C.UTF-8", "AIIMPROVE_STATE": str(state)}
    said = subprocess.run([sys.executable, "-P", "-m", "commands.app", "findings", "--json"], cwd=folder, env=env,
                          capture_output=True, text=True, check=True)
    assert json.loads(said.stdout)["exit_code"] == 0
    hot = subprocess.run([sys.executable, "-X", "importtime", "-P", "-m", "commands.app", "status", "--json"],
                         cwd=folder, env=env, capture_output=True, text=True, check=True)
    assert len(json.loads(hot.stdout)["data"]["improvements"]) == 100
    assert "typer" not in hot.stderr, "the full path was taken: there is nothing to measure"
    return folder, env


def _fill(store: Store) -> None:
    probe = Probe("http", "backend", {"method": "GET", "path": "/api/videos"}, {"status_below": 500})
    for number in range(100):
        finding = Finding("slow_sql", Kind.PERFORMANCE, f"cause {number}", "backend/videos.py:120",
                          f"GET /api/videos number {number} reads the whole table", "Found by hand.", probe, number / 2)
        store.add(Improvement(f"imp-{number:04d}", finding), "bench")
    seen = {"score": 97, "errors": 0, "live": "ok", "dev": "ok", "backend": "ok", "database": "ok",
            "services": {name: {"word": "ok", "milliseconds": 4.2, "ready": "ok"} for name in ("backend", "frontend")}}
    with store.transaction() as connection:
        connection.executemany("INSERT INTO health VALUES (?, ?)",
                               [(time.time() - 30 * back, json.dumps(seen)) for back in range(2880)])
    store.close()


if __name__ == "__main__":
    main("startup", __doc__, measure)
