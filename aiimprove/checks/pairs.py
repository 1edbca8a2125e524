"""Comparing running copies by the clock, in a way that a busy machine does not fool.

The live version is asked twice in every round and the candidate once, in an order that is drawn anew each time. So the
noise, which is how far the live version seems to differ from itself, is that of the same moments.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from aiimprove.checks.paired import interval, shift, signed_rank
from aiimprove.evidence import Measurement
from aiimprove.probes import ANSWER_SECONDS, Dropped, Line

SLOWER = 1.25
"""A time this many times the other's is worth a word ..."""
LEAST_MS = 2.0
"""... if it is also this much more."""
SURE = 0.01
FIRST = 3
"""Requests that warm every lane up and do not count."""
PATIENCE = 4
LEAST_GAIN = 0.02
"""No less is ever called a gain: two copies of the same code differ by as much, by where they lie in memory."""
LEAST_MOMENT = 1e-6
"""Seconds of the processor: what took less is counted as this, so that it has a logarithm."""


@dataclass(frozen=True)
class Figures:
    """One kind of figure: in every round of the live version, of the live version again, and of the candidate."""

    before: tuple[float, ...]
    same: tuple[float, ...]
    after: tuple[float, ...]

    @property
    def medians(self) -> tuple[float, float]:
        return statistics.median(self.before + self.same), statistics.median(self.after)

    @cached_property
    def noise(self) -> float:
        """By which factor, as a logarithm, the live version seems to differ from itself."""
        return abs(shift([math.log(two / one) for one, two in zip(self.before, self.same, strict=True)]))

    @cached_property
    def changes(self) -> list[float]:
        """The factor of every round, as a logarithm: the candidate against both askings of the live version."""
        return [math.log(after) - (math.log(one) + math.log(two)) / 2
                for one, two, after in zip(self.before, self.same, self.after, strict=True)]

    @cached_property
    def chance(self) -> float:
        """How likely such a gain is by luck."""
        return signed_rank([-change for change in self.changes])

    @cached_property
    def gain(self) -> float:
        """The share that the candidate saves; below zero when it takes more."""
        return 1 - math.exp(shift(self.changes))

    def measurement(self, name: str) -> Measurement:
        before, after = self.medians
        return Measurement(name, round(before, 3), round(after, 3), "ms")

    def bounds(self, sure: float) -> tuple[float, float]:
        """Between what the gain lies."""
        low, high = interval(self.changes, sure)
        return 1 - math.exp(high), 1 - math.exp(low)

    @cached_property
    def _more(self) -> list[float]:
        return [after - (one + two) / 2 for one, two, after in zip(self.before, self.same, self.after, strict=True)]

    @cached_property
    def excess(self) -> float:
        """How much more the candidate takes."""
        return shift(self._more)

    def seems_slower(self, least: float) -> bool:
        """Whether the candidate takes more, by `least` and by a quarter at least, as far as one can see."""
        return self.excess > max(least, (SLOWER - 1) * self.medians[0])

    def slower(self, least: float) -> bool:
        """Whether it clearly does: noise does not explain it."""
        return (self.seems_slower(least) and self.excess > 3 * math.expm1(self.noise) * self.medians[0]
                and signed_rank(self._more) < SURE)

    def faster(self, sure: float) -> bool:
        """Whether the candidate takes less, by more than the live version differs from itself."""
        return self.gain > max(LEAST_GAIN, self.noise) and self.chance < sure


@dataclass
class Lane:
    """A way to ask one running copy: its line, and how many seconds of the processor it used so far."""

    line: Line
    used: Callable[[], float] = float
    waits: list[float] = field(default_factory=list)
    works: list[float] = field(default_factory=list)

    def ask(self, path: str) -> float:
        """Milliseconds until the whole answer was there; no answer is the longest wait."""
        try:
            return self.line.send("GET", path).seconds * 1000
        except Dropped:
            return ANSWER_SECONDS * 1000


@dataclass(frozen=True)
class Rounds:
    """Rounds over three lanes: the live version, the live version again, the candidate."""

    lanes: Sequence[Lane]
    path: str
    chance: Random = field(default_factory=Random)

    def take(self, count: int) -> Rounds:
        """That many more. What a lane uses between the start of one round and of the next is that round's work."""
        used = self._used()
        for _ in range(count):
            for lane in self.chance.sample(self.lanes, len(self.lanes)):
                lane.waits.append(lane.ask(self.path))
            before, used = used, self._used()
            for lane, one, two in zip(self.lanes, before, used, strict=True):
                lane.works.append(max(LEAST_MOMENT, two - one) * 1000)
        return self

    def warm(self) -> Rounds:
        """Asks every lane some times that do not count."""
        for lane in self.lanes:
            for _ in range(FIRST):
                lane.ask(self.path)
            lane.waits.clear()
            lane.works.clear()
        return self

    @property
    def waits(self) -> Figures:
        """Milliseconds until the answer was there."""
        return Figures(*_three(lane.waits for lane in self.lanes))

    @property
    def works(self) -> Figures:
        """Milliseconds of the processor."""
        return Figures(*_three(lane.works for lane in self.lanes))

    def _used(self) -> list[float]:
        return [lane.used() for lane in self.lanes]


def measure(before: str, after: str, path: str, pairs: int) -> Figures:
    """Times a GET of `path` at two addresses; again as often, some times, while it seems slower and noise may be why.

    Raises Unreachable when nothing answers.
    """
    with Line(before) as base, Line(before) as same, Line(after) as other:
        rounds = Rounds([Lane(base), Lane(same), Lane(other)], path).warm()
        for _ in range(PATIENCE):
            found = rounds.take(pairs).waits
            if found.slower(LEAST_MS) or not found.seems_slower(LEAST_MS):
                break
    return found


def _three(series: Iterable[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, series))
