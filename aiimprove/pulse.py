"""Whether threads still do what they are for: each says how long it may be silent, and one that is silent for longer
hangs."""

from __future__ import annotations

import time


class Pulse:
    """The deadlines of threads, by name. Each thread writes its own only."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def expect(self, name: str, seconds: float) -> None:
        """`name` will be heard of again within these seconds."""
        self._until[name] = time.monotonic() + seconds

    def over(self, name: str) -> None:
        """`name` is done, and will not be heard of again."""
        self._until.pop(name, None)

    def hung(self) -> list[str]:
        """Those that should have been heard of by now."""
        now = time.monotonic()
        return sorted(name for name, until in tuple(self._until.items()) if until < now)
