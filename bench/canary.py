"""The canary's judge against simulated releases, good and bad, and beside it three rules that others use.

`python bench/canary.py [--short] [--json FILE] [--first N]`. Each release is drawn from its number; `--first` begins
with another one than 0, for releases that nobody looked at while the judge was made. Sites of 4 to 9 routes, 0.05 to
50 requests a second, heavy-tailed times, up to 1 % errors of their own. Good releases are like stable, half of them a
little worse (6 % slower, 0.3 points more errors within 1 %). Bad ones: 1 to 100 % errors, slower by 10 to 200 %, a
slow leak, one route only, writes only, dead or answering only errors after a minute. Ours: steps of 5 and 25 %, at
most 600 s, then 300 s of watch; the simulated watcher runs the judge, the ledger and the pace of replays of
production.

With "an outage of both", a good release and the one before it answer badly to every other request for 20 s; no
target.

A fault counts as large from 3 points of errors of all requests, or when 3 of 100 requests take 50 % (and 5 ms) longer.
It was unseen when the release stayed and its fault had made fewer than ten answers bad or slow: nobody can judge that.
"""

from __future__ import annotations

import math
import random
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.canary_rules import RULES, Answered, under_rules
from bench.figures import Figures, Row, Target, Wanted, main, percentile
from bench.simulated import Fault, Site, site
from bench.trial import Outcome, Trial

GOOD, BAD, OUTAGES, SEEN = 3200, 1200, 150, 10
SHORT_GOOD, SHORT_BAD, SHORT_OUTAGES = 40, 42, 6
KINDS = ("errors", "slower", "leak", "one route fails", "one route slow", "writes fail", "dies")
LARGE_POINTS, LARGE_SLOWER, LARGE_SECONDS = 0.03, 1.5, 0.005


@dataclass(frozen=True)
class Judged:
    """One release: how it was, and what came of it under our judge and under the rules (for some good ones too)."""

    kind: str
    large: bool
    ours: Outcome
    rules: dict[str, Answered]

    @property
    def unseen(self) -> bool:
        return self.ours.end == "stays" and self.ours.met < SEEN


def fault(draw: random.Random, kind: str, here: Site) -> Fault:
    route = draw.randrange(len(here.pages) - 1)
    return {
        "good": lambda: Fault(kind, min(0.01, here.errors + draw.choice([0.0, 0.003])), draw.choice([1.0, 1.06])),
        "errors": lambda: Fault(kind, here.errors + math.exp(draw.uniform(math.log(0.01), 0.0))),
        "slower": lambda: Fault(kind, slower=draw.uniform(1.1, 3.0)),
        "leak": lambda: Fault(kind, slower=draw.uniform(1.5, 3.0), leak=draw.uniform(60, 300)),
        "one route fails": lambda: Fault(kind, draw.uniform(0.1, 1.0), only=route),
        "one route slow": lambda: Fault(kind, slower=draw.uniform(1.5, 3.0), only=route),
        "writes fail": lambda: Fault(kind, draw.uniform(0.05, 1.0), only="POST"),
        "dies": lambda: Fault(kind, 1.0, after=60.0, dead=draw.random() < 0.5),
    }[kind]()


def large(here: Site, found: Fault) -> bool:
    points = (found.errors - here.errors) * here.share(found.only)
    hit = [page.seconds for pages in here.pages for page in pages
           if found.only == "" or found.only in (page.number, page.method)]
    slower = found.slower >= LARGE_SLOWER and statistics.median(hit) * (found.slower - 1) >= LARGE_SECONDS
    return points >= LARGE_POINTS or (slower and here.share(found.only) >= LARGE_POINTS)


def judged(number: int, kind: str, *, beside: bool, outage: bool = False) -> Judged:
    draw = random.Random(f"{kind} {number}")
    here = site(draw)
    if outage:
        here.outage = draw.uniform(5, 300)
    wrong = fault(draw, kind, here)
    ours = Trial(here, wrong).run()
    return Judged(kind, kind != "good" and large(here, wrong), ours, under_rules(here, wrong) if beside else {})


def measure(wanted: Wanted) -> Figures:
    goods, bads, outages = (SHORT_GOOD, SHORT_BAD, SHORT_OUTAGES) if wanted.short else (GOOD, BAD, OUTAGES)
    first = int(wanted.more.get("first") or 0)
    good = [judged(first + number, "good", beside=number % 3 == 0) for number in range(goods)]
    bad = [judged(first + number, KINDS[number % len(KINDS)], beside=True) for number in range(bads)]
    away = [judged(first + number, "good", beside=True, outage=True) for number in range(outages)]
    rows: list[Row] = [_row("ours: good releases", good), _row("ours: all bad", bad)]
    rows += [_row("ours: good, an outage of both", away)]
    rows += [_row(f"ours: {kind}", [each for each in bad if each.kind == kind]) for kind in KINDS]
    rows += [_row_of_rule(name, good, away, bad) for name in RULES]
    return Figures(rows, _targets(good, bad))


def _row(name: str, found: Sequence[Judged]) -> Row:
    big = [each for each in found if each.large]
    back = [each for each in found if each.ours.end == "taken back"]
    return {"releases": name, "number": len(found), "taken back": len(back),
            "undecided": sum(each.ours.end == "undecided" for each in found),
            "large": len(big), "large that stay": sum(each.ours.end == "stays" for each in big),
            "of these unseen": sum(each.unseen for each in big),
            "bad answers shown, mean": statistics.fmean([each.ours.shown for each in found]),
            "median s": percentile([each.ours.seconds for each in back or found], 0.5),
            "p95 s": percentile([each.ours.seconds for each in back or found], 0.95)}


def _row_of_rule(name: str, good: Iterable[Judged], away: Iterable[Judged], bad: Sequence[Judged]) -> Row:
    found = [each.rules[name] for each in bad]
    back = [each.seconds for each in found if each.taken_back]
    big = [each.rules[name] for each in bad if each.large]
    return {"releases": f"{name}: all bad", "number": len(found), "taken back": len(back), "undecided": 0,
            "large": len(big), "large that stay": sum(not each.taken_back for each in big), "of these unseen": "",
            "bad answers shown, mean": statistics.fmean([each.shown for each in found]),
            "median s": percentile(back, 0.5), "p95 s": percentile(back, 0.95),
            "good taken back, %": _wrong(name, good),
            "with an outage, %": _wrong(name, away)}


def _wrong(name: str, good: Iterable[Judged]) -> float:
    found = [each.rules[name].taken_back for each in good if each.rules]
    return 100 * sum(found) / len(found)


def _targets(good: Sequence[Judged], bad: Sequence[Judged]) -> list[Target]:
    """Shares of what goes wrong, in percent, so that less is better."""
    false = sum(each.ours.end == "taken back" for each in good)
    right = sum(each.ours.end == "taken back" for each in bad)
    big = [each for each in bad if each.large]
    seen = [each for each in big if not each.unseen]
    targets = [
        Target("good among the releases taken back (100 - precision), %", 100 * false / max(1, false + right), 3.0),
        Target("large faults, seen, that stay (100 - recall), %",
               100 * sum(each.ours.end == "stays" for each in seen) / len(seen), 0.2),
        Target("good releases taken back, %", 100 * false / len(good), 0.1)]
    bound = 100 * at_most(false, len(good))
    return [*targets, Target(f"its upper 95 % bound ({false} of {len(good)}), %", bound,
                             0.1 if len(good) >= GOOD else 100.0)]


def at_most(times: int, of: int) -> float:
    """The upper 95 % bound of a probability (Clopper and Pearson, one-sided), by bisection."""
    low, high = times / of, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        few = sum(math.comb(of, k) * middle ** k * (1 - middle) ** (of - k) for k in range(times + 1))
        low, high = (middle, high) if few > 0.05 else (low, middle)
    return high


if __name__ == "__main__":
    main("canary", __doc__, measure, {"first": (int, "the number of the first simulated release")})
