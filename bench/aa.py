"""How often the same code is called faster by the clock, and how often a real 5 % is, on a machine that is kept busy.

Each comparison is what the check `speed` does for a claim by the clock (`aiimprove/checks/gain.py`): the production
code that asks, reads both clocks and decides, on real services of a small app, each in its box at the priority that a
proof gives it. Beside them run burners, one for each core (`--short`: one), at normal priority: busy and idle in turns
of 1 to 6 ms. Whatever else runs at a proof's priority stands nearly still meanwhile.

- A/A: the live version, the live version again and, as candidate, the live version. Called faster is a false alarm.
- 5 %: the live versions count further than the candidate in every request, by as many as make 5 % of all the work of
  a request (what a request needs without counting is measured first, on the processor's clock). Called faster is right.

What differs from a real comparison: its copies are started once for a block of comparisons and not for each trial.
That is harder than reality, for a copy that happens to be quicker than its twin is so again when the trial is
repeated. Nothing else is shortened; one size is tried, since the app has no other. Blocks of both kinds take turns.

`slower` is the rule that no route may get slower, at the first trial, before the check would repeat it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from aiimprove.build import build
from aiimprove.checks.gain import Claim, judged
from aiimprove.checks.pairs import LEAST_MS, Lane
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.probes import Line
from aiimprove.process import Meter, start
from aiimprove.proving import running_copy
from aiimprove.release import Release
from bench.figures import Figures, Row, Target, Wanted, main, percentile
from bench.judge import upper
from bench.judge_ground import PYTHON, Ground, stop

COMPARISONS, BLOCK = 1000, 20
EVERY = 5
"""A block of the 5 %, half as long, comes after so many of the A/A."""
SHORT_COMPARISONS, SHORT_BLOCK = 2, 2
COUNTED, MORE = 20_000, 0.05
CALIBRATING = 150
MOST_FASTER, LEAST_POWER = 0.01, 0.9
MOST_SECONDS = 7200

SERVER = '''\
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

COUNTED = {counted}


class Service(BaseHTTPRequestHandler):
    def do_GET(self):
        total = 0
        for number in range(COUNTED if self.path == "/sum" else 0):
            total = (total * 31 + number) % 1000003
        body = str(total % 1).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


HTTPServer(("127.0.0.1", int(sys.argv[1])), Service).serve_forever()
'''
BURNER = """\
import random, sys, time
until = time.monotonic() + float(sys.argv[1])
while (now := time.monotonic()) < until:
    busy = now + random.uniform(0.001, 0.006)
    while time.monotonic() < busy:
        pass
    time.sleep(random.uniform(0.001, 0.006))
"""
FINDING = Finding("bench", Kind.PERFORMANCE, "bench", "app GET /sum", "", "",
                  Probe("http", "app", {"method": "GET", "path": "/sum"}, {"status_below": 500}))


@dataclass
class Tally:
    """What became of the comparisons of one kind."""

    name: str
    claims: list[Claim] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def faster(self) -> int:
        return sum(claim.believed for claim in self.claims)

    @property
    def slower(self) -> int:
        return sum(claim.trials[0][0].waits.slower(LEAST_MS) for claim in self.claims)

    def row(self) -> Row:
        first = [claim.trials[0][0] for claim in self.claims]
        by = Counter(clock for each in first for clock in each.faster)
        return {"comparison": self.name, "of": len(self.claims), "called faster": self.faster, "slower": self.slower,
                "faster at first": ", ".join(f"{clock} {count}" for clock, count in by.items()) or "0",
                "rounds": percentile([float(len(each.waits.after)) for each in first], 0.5),
                "waited ms": percentile([each.waits.medians[0] for each in first], 0.5),
                "processor ms": percentile([each.works.medians[0] for each in first], 0.5),
                "noise %": 100 * percentile([each.works.noise for each in first], 0.5),
                "gain %": 100 * percentile([each.works.gain for each in first], 0.5),
                "seconds": percentile(self.seconds, 0.5)}


def measure(wanted: Wanted) -> Figures:
    count, block = (SHORT_COMPARISONS, SHORT_BLOCK) if wanted.short else (COMPARISONS, BLOCK)
    same, real = Tally("A/A"), Tally("5 %")
    with tempfile.TemporaryDirectory(prefix="aa-") as scratch, _busy(1 if wanted.short else os.cpu_count() or 1):
        ground = Ground(Path(scratch), {"app/server.py": SERVER.format(counted=COUNTED)}, FINDING)
        more = _changed(ground, SERVER.format(counted=int(COUNTED * (1 + MORE / _counting(ground)))))
        until = time.monotonic() + 60 * (int(wanted.more.get("minutes") or 0) or 24 * 60)
        for number in range(count // block):
            if time.monotonic() > until:
                break
            _block(ground, ground.baseline, same, block)
            if wanted.short or number % EVERY == EVERY - 1:
                _block(ground, more, real, block if wanted.short else block // 2)
            print(f"{same.row()}\n{real.row() if real.claims else ''}", file=sys.stderr, flush=True)
    return Figures([same.row(), real.row()], _targets(same, real, wanted.short))


def _targets(same: Tally, real: Tally, short: bool) -> list[Target]:
    bound = same.faster / len(same.claims) if short else upper(same.faster, len(same.claims))
    missed = 1 - real.faster / len(real.claims)
    missing = [] if short else [Target("A/A comparisons missing to 1,000", max(0, COMPARISONS - len(same.claims)), 0)]
    return [*missing, Target("share of A/A comparisons called faster" + ("" if short else " (upper 95 % bound)"), bound,
                   MOST_FASTER), Target("share of real 5 % that is missed", missed, 1 - LEAST_POWER)]


def _counting(ground: Ground) -> float:
    """The share of a request's work that is counting."""
    works: dict[str, list[float]] = {"/sum": [], "/health": []}
    with _lanes(ground, (ground.baseline,)) as (lane,):
        for _ in range(CALIBRATING):
            for path, seen in works.items():
                used = lane.used()
                lane.ask(path)
                seen.append(lane.used() - used)
    return 1 - median(works["/health"]) / median(works["/sum"])


def _changed(ground: Ground, text: str) -> Release:
    commit = ground.repository.commit_files(ground.first, {"app/server.py": text.encode()}, "more work")
    return build(ground.config, ground.repository, commit, ground.box, stop)


def _block(ground: Ground, live: Release, tally: Tally, count: int) -> None:
    """Some comparisons of a live version with the ground's first."""
    with _lanes(ground, (live, live, ground.baseline)) as lanes:
        for _ in range(count):
            began = time.monotonic()
            tally.claims.append(judged(lambda: nullcontext(lanes), ["/sum"]))
            tally.seconds.append(time.monotonic() - began)


@contextmanager
def _lanes(ground: Ground, releases: Sequence[Release]) -> Iterator[Sequence[Lane]]:
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="aa-") as work:
        copies = [stack.enter_context(running_copy(ground.config, release, ground.folder / "live",
                                                   Path(work) / str(number), ground.box))
                  for number, release in enumerate(releases)]
        yield [Lane(stack.enter_context(Line(copy.urls["app"])), Meter.of(copy.processes["app"]).seconds)
               for copy in copies]


@contextmanager
def _busy(burners: int) -> Iterator[None]:
    """They end by themselves too."""
    with tempfile.TemporaryDirectory(prefix="aa-") as folder, ExitStack() as stack:
        for _ in range(burners):
            child = start([PYTHON, "-c", BURNER, str(MOST_SECONDS)], cwd=Path(folder), env={},
                          log=Path(folder) / "burner.log", die_with_parent=True)
            stack.callback(child.wait)
            stack.callback(child.kill)
        yield


if __name__ == "__main__":
    main("aa", __doc__, measure, {"minutes": (int, "begin no block of comparisons after so many; 0: all of them")})
