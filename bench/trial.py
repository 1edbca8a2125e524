"""One simulated deployment under our judge: canary in steps, promotion, watch; the judge is the one of production."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from aiimprove.canary import (
    ERRORS,
    FIRST_GLANCE,
    MISSED,
    PAIRS,
    SECONDS,
    Judgement,
    Ledger,
    Pace,
    Pair,
    judge,
    set_aside,
)
from aiimprove.evidence import Verdict
from bench.simulated import Fault, Page, Site

STEPS = (5, 25)
CANARY_SECONDS, WATCH_SECONDS = 600.0, 300.0
LOOK_SECONDS, PROBES_A_LOOK = 1.0, 4
TOLERATED = 0.01
LONGER = 3
HISTORY, PAGES_A_VISIT, VISITORS = 2000, 8, 20


@dataclass
class Outcome:
    """`verdict` of the canary; `end`: "taken back", "undecided" (no verdict: taken back too) or "stays". `seconds` to
    that. `shown`: bad answers that visitors saw. `met`: answers of the candidate, replayed ones too, that the fault
    made bad or slow."""

    end: str = ""
    verdict: str = ""
    seconds: float = 0.0
    shown: int = 0
    met: int = 0
    why: str = ""


class Visitors:
    """Who asks: sessions of some requests, each in one lane, as with the gateway's cookie."""

    def __init__(self, draw: random.Random) -> None:
        self._draw, self._lanes = draw, [False] * VISITORS

    def candidate(self, percent: float) -> bool:
        seat = int(self._draw.random() * VISITORS)
        if self._draw.random() < 1 / PAGES_A_VISIT:
            self._lanes[seat] = self._draw.random() * 100 < percent
        return self._lanes[seat]


@dataclass
class Trial:
    site: Site
    fault: Fault
    now: float = 0.0
    ledger: Ledger = field(default_factory=Ledger)
    pace: Pace = field(default_factory=Pace)
    outcome: Outcome = field(default_factory=Outcome)
    failed_probes: int = 0

    def run(self) -> Outcome:
        for _ in range(HISTORY):
            page = self.site.asked()
            self.ledger.remember(page.route, *self.site.answer(page, None, 0.0))
        visitors, left = Visitors(self.site.draw), len(STEPS)
        judgement = Judgement(Verdict.INCONCLUSIVE, "")
        for percent in STEPS:
            seconds = (CANARY_SECONDS - self.now) / left
            left -= 1
            judgement = self._watch(seconds, percent, visitors, FIRST_GLANCE if left else MISSED)
            if judgement.failed:
                return self._ended("taken back", judgement)
        if judgement.verdict is Verdict.INCONCLUSIVE:
            return self._ended("undecided", judgement)
        self.outcome.verdict = judgement.verdict
        self.ledger.begin_epoch(self.now, ERRORS)
        judgement = self._watch(WATCH_SECONDS, 100, None, None)
        return self._ended("taken back" if judgement.failed else "stays", judgement)

    def _ended(self, end: str, judgement: Judgement) -> Outcome:
        self.outcome.end, self.outcome.seconds, self.outcome.why = end, self.now, judgement.why
        self.outcome.verdict = self.outcome.verdict or judgement.verdict
        return self.outcome

    def _watch(self, seconds: float, percent: float, visitors: Visitors | None, missed: float | None) -> Judgement:
        until, longer = self.now + seconds, 0.0
        while True:
            end = min(until + longer, self.now + LOOK_SECONDS)
            self._visit(end, percent, visitors)
            self._replay(end)
            self.now = end
            dead = self.fault.dead and self.now >= self.fault.after
            self.failed_probes = self.failed_probes + PROBES_A_LOOK if dead else 0
            judgement = judge(self.ledger, self.failed_probes, TOLERATED, missed or MISSED)
            if judgement.on:
                self._control(judgement, promoted=visitors is None)
                judgement = judge(self.ledger, self.failed_probes, TOLERATED, missed or MISSED)
            longer = 0.0 if missed or not judgement.suspicious else seconds * LONGER
            if judgement.failed or end >= until + longer or (missed and judgement.verdict is Verdict.PASSED):
                return judgement

    def _visit(self, end: float, percent: float, visitors: Visitors | None) -> None:
        at, draw = self.now, self.site.draw
        while (at := at + draw.expovariate(self.site.rate)) < end:
            page, candidate = self.site.asked(), visitors is None or visitors.candidate(percent)
            bad, seconds = self._answer(page, candidate, at)
            self.pace.met(at, candidate, seconds)
            self.ledger.add(at, candidate, page.route, bad, None if bad else seconds)
            if candidate and bad and visitors is not None and page.method == "GET":
                bad, _ = self._answer(page, False, at)  # the gateway asks the stable release
                self.ledger.add(at, False, page.route, bad, None)
            self.outcome.shown += candidate and bad

    def _replay(self, end: float) -> None:
        at = self.now
        while (wait := self.pace.wait(at)) is not None and (at := at + wait) < end:
            page = self.site.read()
            new, old = self._answer(page, True, at), self._answer(page, False, at)
            self.pace.replayed(at, new[1] + old[1])
            times = (new[1], old[1]) if self.pace.comparable(at) else None
            self.ledger.add_pair(at, page.route, (new[0], old[0]), times)
            at += new[1] + old[1]

    def _control(self, judgement: Judgement, *, promoted: bool) -> None:
        """As before a release is taken back: the same reads to both, now."""
        at, pairs = self.now, []
        readable = [page for pages in self.site.pages for page in pages if page.method == "GET"]
        alike = [page for page in readable if page.route == judgement.stratum]
        while len(pairs) < PAIRS and at < self.now + SECONDS:
            page = self.site.draw.choice(alike) if alike else self.site.read()
            new, old = self._answer(page, True, at), self._answer(page, False, at)
            self.ledger.add_pair(at, page.route, (new[0], old[0]), None)
            pairs.append(Pair(page.route, (new[0], old[0]), (new[1], old[1])))
            at += new[1] + old[1]
        set_aside(self.ledger, judgement, pairs, at, promoted=promoted, idle=self.pace.comparable(at))

    def _answer(self, page: Page, candidate: bool, at: float) -> tuple[bool, float]:
        fault = self.fault if candidate else None
        bad, seconds = self.site.answer(page, fault, at)
        if fault and fault.hits(page, at):
            self.outcome.met += bad or fault.slowness(at) >= 1.5
        return bad, min(seconds, 2.0)
