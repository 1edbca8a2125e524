"""How long the steps of the loop took, and when each last succeeded: what the metrics say about the loop."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from contextlib import suppress

from aiimprove.finding import Json
from aiimprove.store import Store

_NAME = "taken "
_NOTHING_YET: dict[str, Json] = {"taken": 0, "failed": 0, "seconds": 0.0, "last_success": None}


def note(store: Store, step: str, seconds: float, succeeded: bool) -> None:
    """One more time that a step was taken. A disk without room for this costs the figure, not the step."""
    with suppress(sqlite3.Error), store.transaction():
        now = _NOTHING_YET | (store.fact(_NAME + step) or {})
        store.set_fact(_NAME + step, {
            "taken": now["taken"] + 1, "failed": now["failed"] + (not succeeded),
            "seconds": round(now["seconds"] + seconds, 3),
            "last_success": time.time() if succeeded else now["last_success"]})


def taken(store: Store, steps: tuple[str, ...]) -> Mapping[str, dict[str, Json]]:
    """Of each step how often it was taken and failed, its seconds in all, and when (unix time) it last succeeded."""
    return {step: _NOTHING_YET | (store.fact(_NAME + step) or {}) for step in steps}
