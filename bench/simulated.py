"""Simulated sites and releases: what a visitor or a replayed read gets, drawn answer by answer.

Times have heavy tails: a lognormal noise around each page's own time, and 2 of 100 answers from a Pareto tail.
"""

from __future__ import annotations

import math
import random
from bisect import bisect
from dataclasses import dataclass, field
from itertools import accumulate

from aiimprove.canary import route

PAGES = 40
OUTAGE_SECONDS = 20.0
_NOISES = 2048
_PATHS = ("/", "/videos", "/videos/{}", "/search", "/tags/{}", "/users/{}", "/feed", "/about", "/cart")


@dataclass(frozen=True)
class Fault:
    """What is wrong with a release; the default is nothing. `kind` names its group in the table.

    From `after` seconds on it answers badly with probability `errors`, and takes `slower` times as long; a leak gets
    there in a straight line over `leak` seconds. `only`: the number of the route, or "POST". `dead`: nothing listens.
    """

    kind: str = "healthy"
    errors: float = 0.0
    slower: float = 1.0
    after: float = 0.0
    leak: float = 0.0
    only: int | str = ""
    dead: bool = False

    def hits(self, page: Page, at: float) -> bool:
        return at >= self.after and (self.only == "" or self.only in (page.number, page.method))

    def slowness(self, at: float) -> float:
        return self.slower if not self.leak else 1 + (self.slower - 1) * min(1.0, (at - self.after) / self.leak)


@dataclass(frozen=True)
class Page:
    """One address of a route."""

    number: int
    method: str
    route: str
    seconds: float


@dataclass
class Site:
    """`rate`: requests a second. `errors`: the share of bad answers of a good release. From `outage` on, for 20 s,
    every other answer of every release is bad."""

    draw: random.Random
    rate: float
    errors: float
    pages: list[list[Page]] = field(default_factory=list)
    upto: list[float] = field(default_factory=list)
    noise: list[float] = field(default_factory=list)
    outage: float = math.inf

    def asked(self) -> Page:
        return self.draw.choice(self.pages[bisect(self.upto, self.draw.random() * self.upto[-1])])

    def read(self) -> Page:
        """A page that may be replayed."""
        while (page := self.asked()).method != "GET":
            pass
        return page

    def answer(self, page: Page, fault: Fault | None, at: float) -> tuple[bool, float]:
        """Whether it was bad, and its seconds. Without a fault: of a good release."""
        draw, seconds = self.draw.random, page.seconds * self.noise[int(self.draw.random() * _NOISES)]
        if self.outage <= at < self.outage + OUTAGE_SECONDS and draw() < 0.5:
            return True, seconds
        if fault is None or not fault.hits(page, at):
            return draw() < self.errors, seconds
        return draw() < max(self.errors, fault.errors), seconds * fault.slowness(at)

    def share(self, only: int | str) -> float:
        """Of the requests that a fault hits."""
        shares = [high - low for low, high in zip([0.0, *self.upto], self.upto, strict=False)]
        return sum(share for share, pages in zip(shares, self.pages, strict=True)
                   if only == "" or only in (pages[0].number, pages[0].method)) / self.upto[-1]


def site(draw: random.Random) -> Site:
    """4 to 9 routes, one of them for writes (5 to 25 % of the requests), 0.05 to 50 requests a second."""
    made = Site(draw, math.exp(draw.uniform(math.log(0.05), math.log(50))), draw.choice([0.0, 0.0005, 0.003, 0.01]))
    count, weights = draw.randint(3, 8), []
    for number in range(count):
        made.pages.append(_pages(draw, number, "GET"))
        weights.append(draw.uniform(0.3, 3.0))
    made.pages.append(_pages(draw, count, "POST"))
    writes = draw.uniform(0.05, 0.25)
    made.upto = list(accumulate([*weights, sum(weights) * writes / (1 - writes)]))
    spread = draw.uniform(0.2, 0.5)  # of the logarithm
    made.noise = [_noise(draw, spread) for _ in range(_NOISES)]
    return made


def _pages(draw: random.Random, number: int, method: str) -> list[Page]:
    typical = math.exp(draw.uniform(math.log(0.012), math.log(0.12)))
    return [Page(number, method, route("site", method, _PATHS[number].format(page)),
                 typical * draw.lognormvariate(0.0, 0.4)) for page in range(PAGES)]


def _noise(draw: random.Random, spread: float) -> float:
    tail = 3 * draw.paretovariate(1.5) if draw.random() < 0.02 else 1.0
    return draw.lognormvariate(0.0, spread) * min(tail, 100.0)
