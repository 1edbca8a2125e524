"""Health: is everything up, how fast does it answer, how many errors. Looked at every 30 seconds, kept bounded.

The score is 100 x availability x (1 - error share) x speed, where availability is the share of services that
answered their health path, the error share is that of 5xx answers to visitors since the last check, and speed is the
latency budget divided by the measured latency, at most 1. It is 0 when nothing answers.
"""

from __future__ import annotations

import json
import logging
import shutil
import statistics
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aiimprove.disk import used
from aiimprove.errors import AiimproveError
from aiimprove.gateway import Cursor
from aiimprove.probes import Dropped, get
from aiimprove.process import resources
from aiimprove.release import Environment
from aiimprove.settings import Service
from aiimprove.workspace import Workspace

_LOG = logging.getLogger("aiimprove")
OK, FAILING, UNKNOWN, STOPPED = "ok", "failing", "unknown", "stopped"
_CURSOR = "health_cursor"
_LATENCY_PROBES = 3


@dataclass(frozen=True)
class Answered:
    """How one service answered: `word` is ok, failing or unknown; milliseconds of its health path."""

    word: str
    milliseconds: float | None = None
    ready: str = UNKNOWN


def check(workspace: Workspace) -> dict[str, Any]:
    """Look at every service once, save what was seen, and return it."""
    live = {name: _look(workspace, service, service.live_port) for name, service in workspace.config.services.items()}
    dev = {name: _look(workspace, service, service.dev_port) for name, service in workspace.config.services.items()}
    errors, requests = _answers(workspace)
    seen = {
        "score": score(live, errors, requests, workspace.config.health.latency_budget_ms), "errors": errors,
        "requests": requests, "live": _all(live), "dev": _all(dev), "backend": _backend(workspace, live),
        "database": _all({name: Answered(each.ready) for name, each in live.items()}, of_known=True),
        "services": {name: asdict(each) for name, each in live.items()},
        "resources": _resources(workspace), "data_bytes": used(workspace.data("live")).bytes,
        "disk_free": shutil.disk_usage(workspace.config.state_folder).free,
    }
    _save(workspace, seen)
    _LOG.info("health: score %s, live %s, dev %s, database %s, %s errors in %s requests", seen["score"], seen["live"],
              seen["dev"], seen["database"], errors, requests)
    return seen


def stopped(workspace: Workspace) -> None:
    """Note that nothing runs on purpose, so that nobody takes the last look for how it is now."""
    _save(workspace, dict.fromkeys(("live", "dev", "backend", "database"), STOPPED) | {"score": None, "errors": 0})


def score(live: Mapping[str, Answered], errors: int, requests: int, budget_ms: float) -> int:
    """0 to 100; see the head of this file."""
    asked = [each for each in live.values() if each.word != UNKNOWN]
    if not asked:
        return 0
    availability = sum(each.word == OK for each in asked) / len(asked)
    times = [each.milliseconds for each in live.values() if each.milliseconds is not None]
    speed = min(1.0, budget_ms / max(max(times), 0.001)) if times else 0.0
    error_share = errors / requests if requests else 0.0
    return round(100 * availability * (1 - error_share) * speed)


def _look(workspace: Workspace, service: Service, port: int) -> Answered:
    if not port:
        return Answered(UNKNOWN)
    base = f"http://127.0.0.1:{port}"
    times = [_time(base + service.health, workspace) for _ in range(_LATENCY_PROBES)]
    good = [each for each in times if each is not None]
    if len(good) < len(times):
        return Answered(FAILING)
    ready = UNKNOWN if not service.ready else OK if _time(base + service.ready, workspace) is not None else FAILING
    return Answered(OK, round(statistics.median(good), 2), ready)


def _time(url: str, workspace: Workspace) -> float | None:
    try:
        answer = get(url, seconds=workspace.config.health.timeout_seconds)
    except (AiimproveError, Dropped):
        return None
    return answer.seconds * 1000 if answer.status == 200 else None


def _all(seen: Mapping[str, Answered], *, of_known: bool = False) -> str:
    words = [each.word for each in seen.values() if not (of_known and each.word == UNKNOWN)]
    if not words or all(word == UNKNOWN for word in words):
        return UNKNOWN
    return FAILING if FAILING in words else OK


def _backend(workspace: Workspace, live: Mapping[str, Answered]) -> str:
    """The services that hold no button: for an app of one service, that service."""
    behind = {name: each for name, each in live.items() if name != workspace.config.approvals}
    return _all(behind or live)


def _answers(workspace: Workspace) -> tuple[int, int]:
    """5xx answers and all answers to visitors of live since the last check."""
    saved = workspace.store.fact(_CURSOR)
    answers, cursor = workspace.gateway.answers(Cursor(**saved) if saved else Cursor())
    workspace.store.set_fact(_CURSOR, asdict(cursor))
    own = {path for service in workspace.config.services.values() for path in (service.health, service.ready)}
    live = [each for each in answers if each.environment == Environment.LIVE and each.uri not in own]
    return sum(each.status >= 500 for each in live), len(live)


def _resources(workspace: Workspace) -> dict[str, Any]:
    """CPU and memory of each service; `cpu_percent` (of one core) since the last check."""
    found: dict[str, Any] = {}
    last = workspace.store.connection.execute("SELECT at, body FROM health ORDER BY at DESC LIMIT 1").fetchone()
    before, seconds = (json.loads(last[1]).get("resources", {}), time.time() - last[0]) if last else ({}, 0.0)
    for environment in Environment:
        for slot, running in workspace.slots.running(environment).items():
            for name, identity in running.identities().items():
                key, used = f"{environment}_{slot}_{name}", asdict(resources(identity))
                spent = used["cpu_seconds"] - before.get(key, {}).get("cpu_seconds", used["cpu_seconds"])
                found[key] = used | {"cpu_percent": round(100 * max(0.0, spent) / seconds, 1) if seconds else None}
    return found


def _save(workspace: Workspace, seen: Mapping[str, Any]) -> None:
    """What stands there from a time that has not come yet was written by a clock that ran ahead."""
    now = time.time()
    with workspace.store.transaction() as connection:
        connection.execute("DELETE FROM health WHERE at > ?", (now,))
        connection.execute("INSERT OR REPLACE INTO health VALUES (?, ?)", (now, json.dumps(seen)))
