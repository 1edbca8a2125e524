"""What is known of a candidate and of the release beside it: counts, kept apart by route and by time."""

from __future__ import annotations

import statistics
from collections import Counter, deque
from dataclasses import dataclass, field

from aiimprove.canary.routes import writes
from aiimprove.canary.sequential import Tally

ERRORS, TIMES = "errors", "times"
ALL, WRITES, BROKEN_OFF = "all requests", "writes", "answers that broke off"
MOST_ROUTES = 24
WINDOW_SECONDS = 10.0
WARMING_UP, WARMING_UP_SECONDS, _SHORTEST = 5, 10.0, 8
_UNUSED, _COMPARED_EVERY = 500, 0.5
SLOWER, SLOWER_SECONDS = 1.1, 0.002
MUCH_SLOWER, MUCH_SLOWER_SECONDS = 1.5, 0.005


@dataclass(slots=True)
class Counts:
    """Of one stratum: answers and bad answers of both releases, pairs of times, and in how many of them the candidate
    was slower, and much slower."""

    candidate: int = 0
    candidate_bad: int = 0
    stable: int = 0
    stable_bad: int = 0
    pairs: int = 0
    slower: int = 0
    much_slower: int = 0

    def now(self) -> tuple[int, ...]:
        return (self.candidate, self.candidate_bad, self.stable, self.stable_bad, self.pairs, self.slower)


@dataclass(slots=True)
class Stratum:
    """Its counts now, how they stood at the start of each window, and what stable's history adds."""

    counts: Counts = field(default_factory=Counts)
    starts: list[tuple[int, ...]] = field(default_factory=list)
    history: Tally = Tally()

    def beside_since(self, window: int) -> Tally:
        """What stable got since a window began."""
        start = self.starts[window]
        return Tally(self.counts.stable - start[2], self.counts.stable_bad - start[3])


@dataclass(slots=True)
class Times:
    """Times of stable's answers on one route that no candidate's answer was compared with yet, newest last; how many
    answers of each release have warmed it up; and when one was compared last, so that what stable left behind lasts."""

    beside: deque[float] = field(default_factory=lambda: deque(maxlen=_UNUSED))
    before: deque[float] = field(default_factory=lambda: deque(maxlen=_UNUSED))
    warm: Counter[bool] = field(default_factory=Counter)
    compared: float = -_COMPARED_EVERY


class Ledger:
    """Takes what happened, in order, with the seconds since the candidate got its first request."""

    def __init__(self) -> None:
        self.strata = {name: Stratum(starts=[Counts().now()]) for name in (ALL, WRITES, BROKEN_OFF)}
        self.replayed, self._began = 0, 0.0
        self.epochs = {ERRORS: 0, TIMES: 0}
        self.open = {ERRORS: [0], TIMES: [0]}
        self._times: dict[str, Times] = {}
        self._windows = 1

    def remember(self, route: str, bad: bool, seconds: float | None) -> None:
        """An answer of stable from before the candidate."""
        for stratum in self._of(route):
            stratum.history += Tally(1, int(bad))
        self.strata[BROKEN_OFF].history += Tally(1, 0)
        if seconds is not None and not bad:
            self._times.setdefault(route, Times()).before.append(seconds)

    def add(self, at: float, candidate: bool, route: str, bad: bool, seconds: float | None) -> None:
        """A visitor's answer; `seconds` is None when its time says nothing about the release."""
        self._begin_windows(at)
        self._count(candidate, route, bad)
        if seconds is not None and not bad:
            self._time(at, candidate, route, seconds)

    def broke_off(self, at: float, candidate: bool) -> None:
        """An answer that was not finished: by the visitor or by the release, nobody knows."""
        self._begin_windows(at)
        _add(self.strata[BROKEN_OFF].counts, candidate, True)

    def add_pair(self, at: float, route: str, bad: tuple[bool, bool], seconds: tuple[float, float] | None) -> None:
        """The same request, replayed to the candidate and to stable (in that order here, at random in time)."""
        self._begin_windows(at)
        self.replayed += 1
        for candidate, was_bad in ((True, bad[0]), (False, bad[1])):
            self._count(candidate, route, was_bad)
        if seconds is None or any(bad):
            return
        warm = self._times.setdefault(route, Times()).warm
        warm[True] += 1
        warm[False] += 1
        if min(warm.values()) > WARMING_UP and at >= WARMING_UP_SECONDS:
            self._compare(route, *seconds)

    def begin_epoch(self, at: float, test: str) -> None:
        """For one of the tests, what is counted from now on stands for itself: visitors are shared out anew, or what
        spoke against the candidate was set aside. For ERRORS, what stable got until now is history."""
        before = self.first(test)
        self._began = at
        self._next_window()
        self.epochs[test] += 1
        self.open[test] = [self._windows - 1]
        for stratum in self.strata.values() if test == ERRORS else ():
            stratum.history += stratum.beside_since(before)

    def usual_seconds(self, route: str) -> float | None:
        """The median of the times of stable that are kept; None when there are none."""
        times = self._times.get(route, Times())
        kept = times.beside or times.before
        return statistics.median(kept) if kept else None

    def first(self, test: str) -> int:
        """The number of the window with which the epoch began."""
        return self.open[test][0]

    def _begin_windows(self, at: float) -> None:
        while at - self._began >= WINDOW_SECONDS:
            self._began += WINDOW_SECONDS
            self._next_window()

    def _next_window(self) -> None:
        """The first window of an epoch stays open; of the others every second one closes after `_SHORTEST` windows,
        every second one of the rest after twice that, and so on: about four of each age, however long the watch."""
        last, self._windows = self._windows, self._windows + 1
        for stratum in self.strata.values():
            stratum.starts.append(stratum.counts.now())
        for test, windows in self.open.items():
            self.open[test] = [windows[0], *(each for each in (*windows[1:], last)
                                             if last - each <= _SHORTEST * (each & -each))]

    def _of(self, route: str) -> list[Stratum]:
        known = self.strata.get(route)
        if known is None and len(self.strata) < MOST_ROUTES + 3:
            known = self.strata[route] = Stratum(starts=[Counts().now()] * self._windows)
        return [self.strata[ALL], *([self.strata[WRITES]] if writes(route) else []), *([known] if known else [])]

    def _count(self, candidate: bool, route: str, bad: bool) -> None:
        for stratum in self._of(route):
            _add(stratum.counts, candidate, bad)
        _add(self.strata[BROKEN_OFF].counts, candidate, False)

    def _time(self, at: float, candidate: bool, route: str, seconds: float) -> None:
        times = self._times.setdefault(route, Times())
        times.warm[candidate] += 1
        if not candidate:
            times.beside.append(seconds)
            return
        due = times.warm[True] > WARMING_UP and at >= max(times.compared + _COMPARED_EVERY, WARMING_UP_SECONDS)
        if due and (times.beside or times.before):
            times.compared = at
            self._compare(route, seconds, (times.beside or times.before).pop())

    def _compare(self, route: str, candidate: float, stable: float) -> None:
        much = candidate > max(MUCH_SLOWER * stable, stable + MUCH_SLOWER_SECONDS)
        for stratum in self._of(route):
            stratum.counts.pairs += 1
            stratum.counts.slower += slower(candidate, stable)
            stratum.counts.much_slower += much


def slower(candidate: float, stable: float) -> bool:
    """Whether the first of two times is longer than the second by what counts."""
    return candidate > max(SLOWER * stable, stable + SLOWER_SECONDS)


def _add(counts: Counts, candidate: bool, bad: bool) -> None:
    if candidate:
        counts.candidate += 1
        counts.candidate_bad += bad
    else:
        counts.stable += 1
        counts.stable_bad += bad
