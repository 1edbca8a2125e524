"""Three rules that others use, as their documentation has them, on the same simulated sites and releases.

They see what a canary with 25 % of the visitors got in ten windows of 30 s, and then promote or take back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.figures import percentile
from bench.simulated import Fault, Site
from bench.trial import Visitors

WINDOWS, WINDOW_SECONDS, PERCENT, AFTERWARDS = 10, 30.0, 25.0, 300.0
P99_SECONDS, FAILED_CHECKS, FAILURE_LIMIT, SURE = 0.5, 5, 3, 0.02


@dataclass
class Window:
    """Times of the candidate and of stable, and how many of their answers were bad."""

    times: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    bad: list[int] = field(default_factory=lambda: [0, 0])

    def share(self, side: int) -> float:
        return self.bad[side] / len(self.times[side]) if self.times[side] else 0.0

    def mean(self, side: int) -> float:
        return sum(self.times[side]) / len(self.times[side])


def flagger(windows: Sequence[Window]) -> int | None:
    """Success rate at least 99 % and p99 at most 500 ms, five failed checks; a window without answers is none."""
    return _nth([bool(each.times[0]) and (each.share(0) > 0.01 or percentile(each.times[0], 0.99) > P99_SECONDS)
                 for each in windows], FAILED_CHECKS)


def argo(windows: Sequence[Window]) -> int | None:
    """Success rate at least 95 %, failureLimit 3: the fourth failed measurement takes back."""
    return _nth([each.share(0) > 0.05 for each in windows], FAILURE_LIMIT + 1)


def kayenta(windows: Sequence[Window]) -> int | None:
    """Mann-Whitney on the values of the windows, candidate against baseline: error rate and mean time."""
    both = [each for each in windows if each.times[0] and each.times[1]]
    metrics = [[[each.share(side) for each in both] for side in (0, 1)],
               [[each.mean(side) for each in both] for side in (0, 1)]]
    return len(windows) if any(_higher(new, old) < SURE for new, old in metrics) else None


RULES: Mapping[str, Callable[[Sequence[Window]], int | None]] = {
    "Flagger-like": flagger, "Argo failureLimit": argo, "Kayenta Mann-Whitney": kayenta}


@dataclass(frozen=True)
class Answered:
    """What a rule did: whether it took the release back, after how many seconds, and the bad answers shown."""

    taken_back: bool
    seconds: float
    shown: int


def under_rules(site: Site, fault: Fault) -> dict[str, Answered]:
    """The same visitors for all three. Their meshes do not answer for the canary: what is bad is shown."""
    visitors, windows = Visitors(site.draw), [Window() for _ in range(WINDOWS)]
    at, late = 0.0, 0
    while (at := at + site.draw.expovariate(site.rate)) < WINDOWS * WINDOW_SECONDS:
        window, side = windows[int(at / WINDOW_SECONDS)], 1 - visitors.candidate(PERCENT)
        bad, seconds = site.answer(site.asked(), None if side else fault, at)
        window.times[side].append(seconds)
        window.bad[side] += bad
    while (at := at + site.draw.expovariate(site.rate)) < WINDOWS * WINDOW_SECONDS + AFTERWARDS:
        late += site.answer(site.asked(), fault, at)[0]
    return {name: _answered(rule(windows), windows, late) for name, rule in RULES.items()}


def _answered(ended: int | None, windows: Sequence[Window], late: int) -> Answered:
    shown = sum(each.bad[0] for each in windows[:ended])
    return Answered(ended is not None, (ended or WINDOWS) * WINDOW_SECONDS, shown + (0 if ended else late))


def _nth(failed: Sequence[bool], count: int) -> int | None:
    """After how many windows so many had failed."""
    places = [number for number, each in enumerate(failed, 1) if each]
    return places[count - 1] if len(places) >= count else None


def _higher(new: Sequence[float], old: Sequence[float]) -> float:
    """One-sided p of Mann and Whitney, with the correction for ties and the normal approximation."""
    n, m = len(new), len(old)
    ordered = sorted([*new, *old])
    ties = sum(count ** 3 - count for count in map(ordered.count, set(ordered)))
    wins = sum((a > b) + 0.5 * (a == b) for a in new for b in old)
    variance = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1))) if n and m else 0.0
    return 0.5 * math.erfc((wins - n * m / 2 - 0.5) / math.sqrt(2 * variance)) if variance > 0 else 1.0
