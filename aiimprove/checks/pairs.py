"""Comparing two running copies by the clock, in a way that a busy machine does not fool."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiimprove.probes import Dropped, Line

SLOWER = 1.25
"""A median this many times the other's is worth a word ..."""
LEAST_MS = 2.0
"""... if it is also this much more."""
SURE = 0.01
FIRST = 3
"""Requests that warm both sides up and do not count."""


@dataclass(frozen=True)
class Session:
    """Interleaved pairs of one session: milliseconds on either side, and the same for one copy against itself."""

    before: tuple[float, ...]
    after: tuple[float, ...]
    noise: float

    @property
    def medians(self) -> tuple[float, float]:
        return statistics.median(self.before), statistics.median(self.after)

    def slower(self) -> bool:
        before, after = self.medians
        return (after - before > max(LEAST_MS, 3 * self.noise, (SLOWER - 1) * before)
                and mann_whitney(self.before, self.after) < SURE)

    def faster(self) -> bool:
        before, after = self.medians
        return (before - after > max(0.1 * before, 3 * self.noise)
                and mann_whitney(self.after, self.before) < SURE)


def measure(before: str, after: str, path: str, pairs: int) -> Session:
    """Times a GET of `path` at two addresses, A/A first (the noise is how far its medians lie apart), then A/B.

    Whichever side is asked first takes turns. Raises Unreachable when nothing answers.
    """
    with Line(before) as base, Line(before) as same, Line(after) as other:
        for line in (base, same, other):
            _timed(line, path, FIRST)
        first, second = _interleaved(lambda: _one(base, path), lambda: _one(same, path), pairs)
        noise = abs(statistics.median(first) - statistics.median(second))
        one, two = _interleaved(lambda: _one(base, path), lambda: _one(other, path), pairs)
    return Session(tuple(one), tuple(two), noise)


def _interleaved(one: Callable[[], float], two: Callable[[], float], pairs: int) -> tuple[list[float], list[float]]:
    first, second = [], []
    for turn in range(pairs):
        if turn % 2:
            second.append(two())
            first.append(one())
        else:
            first.append(one())
            second.append(two())
    return first, second


def _timed(line: Line, path: str, times: int) -> None:
    for _ in range(times):
        _one(line, path)


def _one(line: Line, path: str) -> float:
    try:
        return line.send("GET", path).seconds * 1000
    except Dropped:
        return math.inf


def mann_whitney(small: Sequence[float], large: Sequence[float]) -> float:
    """The chance of seeing `large` this much above `small` if both came from one source (one-sided, normal
    approximation with the correction for ties; Mann and Whitney 1947, Annals of Mathematical Statistics 18:50-60)."""
    n, m = len(small), len(large)
    ranked = sorted([(value, 0) for value in small] + [(value, 1) for value in large])
    values = [value for value, _ in ranked]
    ranks = {value: (values.index(value) + 1 + len(values) - values[::-1].index(value)) / 2 for value in set(values)}
    above = sum(ranks[value] for value in large) - m * (m + 1) / 2
    ties = sum(count**3 - count for count in (values.count(value) for value in ranks))
    spread = math.sqrt(n * m / 12 * ((n + m + 1) - ties / ((n + m) * (n + m - 1))))
    return 1.0 if spread == 0 else math.erfc((above - n * m / 2 - 0.5) / spread / math.sqrt(2)) / 2
