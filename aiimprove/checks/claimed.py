"""A finding that is about time: its candidate is faster, or it is no improvement."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from aiimprove import openapi
from aiimprove.checks.gain import Claim, judged
from aiimprove.checks.pairs import Lane
from aiimprove.checks.sizes import other_sizes
from aiimprove.evidence import Measurement, Verdict
from aiimprove.probes import Line, get
from aiimprove.process import Meter
from aiimprove.proving import Stand, running_copy

Answer = tuple[Verdict, str, tuple[Measurement, ...]]


def claimed(stand: Stand, name: str, path: str) -> Answer:
    """What the clock says of a service's address. Raises Unreachable, Dropped, NotHealthy."""
    paths = (path, *_another_size(stand, name, path))
    if other := _answered_otherwise(stand, name, paths):
        return Verdict.FAILED, f"a gain by the clock is one with the same answer, and that of {other} is another", ()
    claim = judged(lambda: _new(stand, name), paths)
    said = "; ".join(str(each) for trial in claim.trials for each in trial)
    if len(paths) == 1:
        said += "; the route takes no size, so it was tried on live's data as it is"
    verdict, word = _verdict(claim)
    return verdict, f"{word}: {said}", tuple(_measured(name, claim))


def _verdict(claim: Claim) -> tuple[Verdict, str]:
    if claim.colder:
        *live, after = claim.cold[0]
        return Verdict.FAILED, f"its first request takes {after:.0f} ms instead of {max(live):.0f}"
    if claim.believed:
        return Verdict.PASSED, "faster, and faster once more"
    return (Verdict.INCONCLUSIVE, "it could not be told") if claim.open else (Verdict.FAILED, "not faster")


def _another_size(stand: Stand, name: str, path: str) -> list[str]:
    """One more size that the live version answers well; nothing when the route takes none."""
    url, document = stand.baseline.urls[name], stand.case.config.services[name].openapi
    sizes = other_sizes(path, openapi.routes(get(url + document).json())) if document else ()
    return [each for each in sizes if get(url + each).status < 400][:1]


def _answered_otherwise(stand: Stand, name: str, paths: Sequence[str]) -> str:
    """The first path whose answer differs from the live version's, which answers it twice alike."""
    for path in paths:
        one, two, after = (get(copy.urls[name] + path) for copy in (stand.baseline, stand.baseline, stand.candidate))
        if (one.status, one.body) == (two.status, two.body) != (after.status, after.body):
            return path
    return ""


@contextmanager
def _new(stand: Stand, name: str) -> Iterator[Sequence[Lane]]:
    """Copies that nobody has asked anything yet but whether they are healthy."""
    case, work = stand.case, stand.case.work / "speed"
    sides = {"live": case.baseline, "again": case.baseline, "candidate": case.candidate}
    try:
        with ExitStack() as stack:
            copies = [stack.enter_context(running_copy(case.config, release, stand.data, work / side, case.box))
                      for side, release in sides.items()]
            yield [Lane(stack.enter_context(Line(each.urls[name])), Meter.of(each.processes[name]).seconds)
                   for each in copies]
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _measured(name: str, claim: Claim) -> Iterator[Measurement]:
    for number, (trials, cold) in enumerate(zip(claim.trials, claim.cold, strict=True), 1):
        yield Measurement(f"{name} cold, trial {number}", round(cold[0], 3), round(cold[2], 3), "ms")
        for each in trials:
            yield from (found.measurement(f"{name} {each.path}, {clock}, trial {number}")
                        for clock, found in each.clocks.items())
