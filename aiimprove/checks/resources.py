"""No service needs clearly more of the processor or of the memory for the same requests, and none keeps growing.

Both copies are asked the same, in turns, in several bursts. The processor is read after every turn, so that what a
service does behind its answers is counted too; the memory after every burst.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from statistics import median

from aiimprove.checks.paired import shift, signed_rank
from aiimprove.checks.pairs import SURE, Lane
from aiimprove.checks.speed import routes
from aiimprove.evidence import Check, Measurement, Verdict
from aiimprove.probes import Line
from aiimprove.process import Meter
from aiimprove.proving import Stand

NAME = "resources"
BURSTS = 3
MORE = 1.25
"""Processor time and memory may be this many times the live version's ..."""
LEAST_MS, LEAST_BYTES = 0.5, 16 << 20
"""... or this much more: milliseconds for a request, bytes."""
GROWTH = 1 << 20
"""A service that grows by so many bytes more than live's in every burst does not stop growing."""


@dataclass(frozen=True)
class Look:
    """What one service used on either side: seconds of the processor in each turn of `requests` requests, and bytes
    before the first burst and after each."""

    requests: int
    seconds: tuple[Sequence[float], Sequence[float]]
    bytes: tuple[Sequence[int], Sequence[int]]

    @property
    def milliseconds(self) -> tuple[float, float]:
        """Of the processor for one request."""
        before, after = (1000 * sum(each) / len(each) / self.requests for each in self.seconds)
        return before, after

    @property
    def held(self) -> tuple[float, float]:
        """Megabytes at the end."""
        before, after = (each[-1] / 1e6 for each in self.bytes)
        return before, after

    def works_more(self) -> bool:
        more = [after - before for before, after in zip(*self.seconds, strict=True)]
        least = max(LEAST_MS / 1000 * self.requests, (MORE - 1) * median(self.seconds[0]))
        return shift(more) > least and signed_rank(more) < SURE

    def holds_more(self) -> bool:
        before, after = (each[-1] for each in self.bytes)
        return after > before * MORE + LEAST_BYTES

    def grows(self) -> bool:
        return all(after - before > GROWTH for before, after in zip(*map(_steps, self.bytes), strict=True))


SAID: Mapping[Callable[[Look], bool], Callable[[Look], str]] = {
    Look.works_more: lambda look: "needs {1:.1f} ms of the processor for a request instead of {0:.1f}".format(
        *look.milliseconds),
    Look.grows: lambda look: f"keeps growing: by {_steps(look.bytes[1])[-1] / 1e6:.1f} MB with the last requests",
    Look.holds_more: lambda look: "holds {1:.0f} MB of memory instead of {0:.0f}".format(*look.held),
}


def run(stand: Stand) -> Check:
    paths = _paths(stand)
    looks = {name: _look(stand, name, each) for name, each in paths.items()}
    said = [f"{name} {what}" for name, look in looks.items() for what in _worse(stand, name, paths[name], look)]
    measured = tuple(figure for name, look in looks.items() for figure in _figures(name, look))
    if said:
        return Check(NAME, Verdict.FAILED, "; ".join(said), measured)
    return Check(NAME, Verdict.PASSED, f"{len(looks)} services need no more of the processor or the memory", measured)


def _paths(stand: Stand) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, path in routes(stand):
        if name in stand.baseline.processes and name in stand.candidate.processes:
            found.setdefault(name, []).append(path)
    return found


def _worse(stand: Stand, name: str, paths: Sequence[str], look: Look) -> Iterator[str]:
    """What is worse at the first look, and at a second one too."""
    suspected = [worse for worse in SAID if worse(look)]
    again = _look(stand, name, paths) if suspected else look
    yield from (SAID[worse](again) for worse in suspected if worse(again))


def _look(stand: Stand, name: str, paths: Sequence[str]) -> Look:
    meters = [Meter.of(copy.processes[name]) for copy in (stand.baseline, stand.candidate)]
    turns = max(4, stand.case.config.proof.pairs // 5)
    seconds: tuple[list[float], list[float]] = ([], [])
    with Line(stand.baseline.urls[name]) as before, Line(stand.candidate.urls[name]) as after:
        lanes = [Lane(before, meters[0].seconds), Lane(after, meters[1].seconds)]
        _turns(lanes, paths, 2)  # warms up both
        held = [[meter.bytes() for meter in meters]]
        for _ in range(BURSTS):
            for side, used in zip(seconds, _turns(lanes, paths, turns), strict=True):
                side.extend(used)
            held.append([meter.bytes() for meter in meters])
    return Look(len(paths), seconds, ([one for one, _ in held], [two for _, two in held]))


def _turns(lanes: Sequence[Lane], paths: Sequence[str], count: int) -> list[list[float]]:
    """Asks every path on every lane, `count` times in an order that is drawn anew; what each lane used each time."""
    chance, used = Random(), [[lane.used()] for lane in lanes]
    for _ in range(count):
        for lane in chance.sample(lanes, len(lanes)):
            for path in paths:
                lane.ask(path)
        for seen, lane in zip(used, lanes, strict=True):
            seen.append(lane.used())
    return [[two - one for one, two in pairwise(seen)] for seen in used]


def _steps(figures: Sequence[int]) -> list[int]:
    return [two - one for one, two in pairwise(figures)]


def _figures(name: str, look: Look) -> Iterator[Measurement]:
    (before, after), held = look.milliseconds, look.held
    yield Measurement(f"{name}: processor for a request", round(before, 3), round(after, 3), "ms")
    yield Measurement(f"{name}: memory", round(held[0], 1), round(held[1], 1), "MB")
