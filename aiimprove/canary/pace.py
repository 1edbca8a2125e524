"""When recorded requests are replayed: only while visitors are too few for a verdict, and never as a load."""

from __future__ import annotations

from collections import deque

MOST_PER_SECOND = 20.0
SHARE_OF_TIME = 0.3
FEW_PER_SECOND = 5.0
IDLE = 0.2
_LOOKED_BACK = 10.0


class Pace:
    """Seconds are those of one clock. `met`: a visitor's answer; `replayed`: a pair, which took so long."""

    def __init__(self) -> None:
        self._answers: deque[tuple[float, bool, float]] = deque()
        self._next = 0.0

    def met(self, at: float, candidate: bool, seconds: float) -> None:
        self._answers.append((at, candidate, seconds))

    def replayed(self, began: float, seconds: float) -> None:
        self._next = began + max(1 / MOST_PER_SECOND, seconds / SHARE_OF_TIME)

    def wait(self, now: float) -> float | None:
        """Seconds until the next pair may begin; None while visitors ask the candidate often enough."""
        self._forget(now)
        if sum(candidate for _, candidate, _ in self._answers) >= FEW_PER_SECOND * _LOOKED_BACK:
            return None
        return max(0.0, self._next - now)

    def comparable(self, now: float) -> bool:
        """Whether both releases are about as idle, so that times of a pair can be compared: on an average fewer than
        `IDLE` visitors were being answered (Little's law)."""
        self._forget(now)
        return sum(seconds for _, _, seconds in self._answers) < IDLE * _LOOKED_BACK

    def _forget(self, now: float) -> None:
        while self._answers and self._answers[0][0] < now - _LOOKED_BACK:
            self._answers.popleft()
