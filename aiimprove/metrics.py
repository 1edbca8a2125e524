"""What a monitoring system may want to know: visitors by release, health, deployments, what waits, the loop, sizes.

Counters live in run/metrics.json with the place in the access log up to which they count, so that they go on over
rotations of the log and restarts. Without that file they begin at 0, which is how a counter is reset.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiimprove import __version__, atomic
from aiimprove.footprint import FOOTPRINT, measure
from aiimprove.gateway import Cursor
from aiimprove.lock import holder
from aiimprove.openmetrics import Family, Sample, counter, gauge, info
from aiimprove.taken import taken
from aiimprove.tallies import Tallies
from aiimprove.workspace import LIVE_COMMIT, LIVE_RELEASE, Workspace

STEPS = ("settle", "health", "deploy", "analyze", "generate", "test", "request-approval", "preview")
_ENDS = {"deployment.committed": "committed", "deployment.aborted": "aborted"}
_SIZES_SECONDS = 900.0


class Metrics:
    """The figures of one site. `read` must be called more often than the gateway throws old logs away."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._file = workspace.config.state_folder / "run" / "metrics.json"
        saved = _read(self._file)
        self._tallies = Tallies(saved.get("tallies"))
        self._cursor = Cursor(*saved["cursor"]) if saved else workspace.gateway.cursor()
        self._event = int(saved.get("event", 0))
        self._deployments = dict.fromkeys(_ENDS.values(), 0) | saved.get("deployments", {})

    def read(self) -> None:
        """Count what came since the last time."""
        answers, self._cursor = self.workspace.gateway.answers(self._cursor)
        for answer in answers:
            self._tallies.add(answer)
        self._tallies.give_up_the_oldest()
        for seq, name in self.workspace.store.connection.execute(
                "SELECT seq, name FROM events WHERE seq > ? ORDER BY seq", (self._event,)):
            self._event = seq
            if name in _ENDS:
                self._deployments[_ENDS[name]] += 1

    def save(self) -> None:
        """Keep the counters for the next process. A full disk costs counts, nothing else."""
        content = {"tallies": self._tallies.saved(), "cursor": [*asdict(self._cursor).values()], "event": self._event,
                   "deployments": self._deployments}
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            atomic.write(self._file, json.dumps(content))

    def families(self) -> list[Family]:
        """Everything as it is now."""
        return [*self._tallies.families(), *self._health(), *self._improving(), *self._loop(),
                gauge("aiimprove_state_bytes", "Disk that a part of the state folder takes.",
                      (Sample(size, {"part": part}) for part, size in self._sizes().items()), "bytes")]

    def _sizes(self) -> Mapping[str, int]:
        """As the loop measured them last; measured here when that is long ago."""
        known = self.workspace.store.fact(FOOTPRINT)
        if not known or time.time() - known["at"] > _SIZES_SECONDS:
            known = measure(self.workspace)
        return dict(known["parts"])

    def _health(self) -> Iterator[Family]:
        row = self.workspace.store.connection.execute("SELECT at, body FROM health ORDER BY at DESC LIMIT 1").fetchone()
        at, seen = (row[0], json.loads(row[1])) if row else (None, {})
        score = seen.get("score")
        yield gauge("aiimprove_health_score", "The score of the last look, 0 to 100.", _one(score))
        yield gauge("aiimprove_health_look_timestamp_seconds", "When the last look was.", _one(at), "seconds")
        yield gauge("aiimprove_part_ok", "Whether live, dev, the backend and the database were well at the last look.",
                    (Sample(int(seen[part] == "ok"), {"part": part}) for part in ("live", "dev", "backend", "database")
                     if part in seen))
        yield gauge("aiimprove_disk_free_bytes", "What is free where the state is.",
                    _one(seen.get("disk_free")), "bytes")
        used: Mapping[str, Mapping[str, Any]] = seen.get("resources", {})
        yield gauge("aiimprove_memory_bytes", "Memory of a service, by environment, slot and name.",
                    (Sample(each["rss_bytes"], _slot(name)) for name, each in used.items()), "bytes")

    def _improving(self) -> Iterator[Family]:
        store = self.workspace.store
        counts = dict(store.connection.execute("SELECT status, COUNT(*) FROM improvements GROUP BY status"))
        yield counter("aiimprove_deployments", "Deployments that ended, rollbacks too.",
                      (Sample(count, {"result": result}) for result, count in self._deployments.items()))
        yield gauge("aiimprove_improvements", "Improvements by status.",
                    (Sample(count, {"status": status}) for status, count in sorted(counts.items())))
        yield gauge("aiimprove_waiting_improvements", "Improvements that wait for an answer.",
                    [Sample(counts.get("AWAITING_APPROVAL", 0))])
        yield info("aiimprove_live", "What is live.", {"release": str(store.fact(LIVE_RELEASE) or ""),
                                                        "commit": str(store.fact(LIVE_COMMIT) or "")})
        yield info("aiimprove_build", "The aiimprove that says this.", {"version": __version__})

    def _loop(self) -> Iterator[Family]:
        store = self.workspace.store
        known = {step: each for step, each in taken(store, STEPS).items() if each["taken"]}
        yield gauge("aiimprove_loop_running", "Whether the loop runs.", [Sample(int(holder(store, "run") is not None))])
        yield Family("aiimprove_step_seconds", "summary", "How long the steps of the loop took.", tuple(
            Sample(each[key], {"step": step}, suffix) for step, each in known.items()
            for key, suffix in (("taken", "_count"), ("seconds", "_sum"))), "seconds")
        yield counter("aiimprove_step_failures", "Steps of the loop that failed.",
                      (Sample(each["failed"], {"step": step}) for step, each in known.items()))
        yield gauge("aiimprove_step_last_success_timestamp_seconds", "When a step was last taken with success.",
                    (Sample(each["last_success"], {"step": step}) for step, each in known.items()
                     if each["last_success"] is not None), "seconds")


def _one(value: float | None) -> list[Sample]:
    return [] if value is None else [Sample(value)]


def _slot(key: str) -> dict[str, str]:
    environment, slot, service = key.split("_", 2)
    return {"environment": environment, "slot": slot, "service": service}


def _read(file: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        content = json.loads(file.read_bytes())
        if isinstance(content, dict) and {"tallies", "cursor", "event"} <= content.keys():
            return content
    return {}
