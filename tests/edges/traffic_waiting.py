"""Waiting in tests: for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event


def until(condition: Callable[[], object], seconds: float = 10.0) -> float:
    """Waits until the condition is truthy and returns how long that took; fails after `seconds`."""
    began, pause = time.monotonic(), Event()
    while not condition():
        assert time.monotonic() - began < seconds, "waited in vain"
        pause.wait(0.005)
    return time.monotonic() - began
