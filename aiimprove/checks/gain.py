"""When it is believed that the candidate is faster: the rules of a claim by the clock.

Copies of the live version twice and of the candidate are started anew, asked once while they are cold, and then in
rounds. Two clocks are read: until the answer was there, and how long the copy's processes had a processor; the first
sees waiting, the second sees work on a machine that others keep busy. After each of some looks (a group-sequential
test: Pocock 1977, Biometrika 64:191-199; here with Bonferroni's bound over all looks and both clocks) a trial ends
when one clock says faster and the other does not say slower, or when there is little hope left. A gain is believed
when a second trial, with new copies, says by the same clock what the first said, at every size that is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from random import Random

from aiimprove.checks.pairs import LEAST_GAIN, LEAST_MS, Figures, Lane, Rounds

TRIALS = 2
HOPE = {80: 0.4, 160: 0.25, 320: 0.1, 640: 0.0}
LOOKS = tuple(HOPE)
"""Rounds after which the clocks are read, and the chance of as much by luck above which a clock has no hope left."""
SURE = 0.05
"""How often one trial may call the same code faster, at most, all looks and clocks together; two must."""
CLOCKS = 2
COLD_SLOWER, COLD_LEAST_MS = 1.5, 50.0
WORTHWHILE = 0.1
"""A trial that could have missed no more than this share says that there is no gain; else it could not tell."""

Lanes = Callable[[], AbstractContextManager[Sequence[Lane]]]
"""Three new copies, running: the live version, the live version again, the candidate."""


@dataclass(frozen=True)
class Trial:
    """What one trial saw at one size."""

    path: str
    waits: Figures
    works: Figures

    @property
    def clocks(self) -> dict[str, Figures]:
        return {"time": self.waits, "processor time": self.works}

    @property
    def faster(self) -> frozenset[str]:
        """The clocks that say so; none when one says that the candidate takes more."""
        sure = SURE / len(LOOKS) / CLOCKS
        if self.waits.slower(LEAST_MS) or self.works.slower(LEAST_MS):
            return frozenset()
        return frozenset(name for name, each in self.clocks.items() if each.faster(sure))

    @property
    def hopeful(self) -> bool:
        """Whether more rounds may still show a gain, by a clock that points to one more clearly with every look."""
        hope = HOPE.get(len(self.waits.after), 0.0)
        return any(each.gain > LEAST_GAIN / 2 and each.chance < hope for each in self.clocks.values())

    @property
    def unsure(self) -> bool:
        """Whether a gain that is worth the trouble may have been missed."""
        return max(each.bounds(SURE)[1] for each in self.clocks.values()) > WORTHWHILE

    def __str__(self) -> str:
        name = min(self.faster or self.clocks, key=list(self.clocks).index)
        figures = self.clocks[name]
        (before, after), (low, high) = figures.medians, figures.bounds(SURE)
        return (f"{self.path} takes {after:.2f} ms {'of the processor ' if name != 'time' else ''}instead of "
                f"{before:.2f} ({100 * figures.gain:.1f} % less, {100 * low:.1f} to {100 * high:.1f}; the live version "
                f"against itself: {100 * figures.noise:.1f})")


@dataclass(frozen=True)
class Claim:
    """What all trials saw. `cold`: milliseconds of the first request of each trial, live twice and candidate."""

    trials: tuple[tuple[Trial, ...], ...]
    cold: tuple[tuple[float, ...], ...]

    @property
    def believed(self) -> bool:
        return len(self.trials) == TRIALS and bool(frozenset.intersection(*(
            each.faster for trial in self.trials for each in trial)))

    @property
    def open(self) -> bool:
        """Whether some trial saw a gain and another did not, or one could not tell."""
        seen = [bool(each.faster) for trial in self.trials for each in trial]
        return any(seen) or any(each.unsure for trial in self.trials for each in trial)

    @property
    def colder(self) -> bool:
        """Whether every first request took clearly longer than both of the live version's."""
        return all(after > COLD_SLOWER * max(live) + COLD_LEAST_MS for *live, after in self.cold)


def judged(copies: Lanes, paths: Sequence[str], trials: int = TRIALS) -> Claim:
    """Trial after trial, to the first that does not see a gain. Raises Unreachable."""
    seen: list[tuple[Trial, ...]] = []
    cold: list[tuple[float, ...]] = []
    while len(seen) < trials and all(each.faster for trial in seen for each in trial):
        with copies() as lanes:
            first, found = _trial(lanes, paths)
            cold.append(first)
            seen.append(found)
    return Claim(tuple(seen), tuple(cold))


def _trial(lanes: Sequence[Lane], paths: Sequence[str]) -> tuple[tuple[float, ...], tuple[Trial, ...]]:
    """The first request of each lane, and then what every path shows."""
    for lane in Random().sample(lanes, len(lanes)):
        lane.waits.append(lane.ask(paths[0]))
    cold = tuple(lane.waits[-1] for lane in lanes)
    return cold, tuple(_at(lanes, path) for path in paths)


def _at(lanes: Sequence[Lane], path: str) -> Trial:
    rounds, taken = Rounds(lanes, path).warm(), 0
    for look in LOOKS:
        rounds.take(look - taken)
        taken, found = look, Trial(path, rounds.waits, rounds.works)
        if found.faster or not found.hopeful:
            break
    return found
