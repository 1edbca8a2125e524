"""A human's no: why, to which approach, and what would bring the idea back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum

from aiimprove.settings import Rejections

CLEARLY_WORSE = 1.5
"""How much larger the impact must be than when a person said no, before the same idea may come back."""
_LARGEST_IMPACT = 100.0
_DAY = 86400.0


class Because(StrEnum):
    NOT_WANTED = "not-wanted"
    """It is to stay as it is."""
    WRONG_APPROACH = "wrong-approach"
    """What was found is right, this way of mending it is not."""
    NOT_NOW = "not-now"
    FALSE_ALARM = "false-alarm"
    """What was found is no problem."""

    @property
    def words(self) -> str:
        return self.value.replace("-", " ")


@dataclass(frozen=True)
class Rejection:
    """`at` and `until` in seconds since 1970; `until` None: time alone never brings it back. `impact` is that of the
    finding when the no was said, `approach` what had written the patch."""

    by: str
    at: float
    because: Because
    impact: float
    approach: str
    until: float | None

    def stands(self, impact: float, now: float) -> bool:
        """Whether it still holds against a finding that has this impact now."""
        return impact < self._enough and (self.until is None or now < self.until)

    @property
    def comes_back(self) -> str:
        """What would bring the idea back: comes back when its impact is 60 (1.5 times as large), or after ..."""
        when = [f"when its impact is {self._enough:g} ({CLEARLY_WORSE:g} times as large)"] if (
            self._enough <= _LARGEST_IMPACT) else []
        when += [f"after {_day(self.until)}"] if self.until is not None else []
        again = f"comes back {', or '.join(when)}" if when else "never comes back by itself"
        if self.because is not Because.WRONG_APPROACH:
            return again
        return f"another approach may be proposed at any time; this one{f' ({self.approach})' * bool(self.approach)} " \
               f"{again}"

    @property
    def words(self) -> str:
        by = f" by {self.by}" if self.by else ""
        return f"rejected on {_day(self.at)}{by} because {self.because.words}; {self.comes_back}"

    @property
    def _enough(self) -> float:
        return round(CLEARLY_WORSE * max(self.impact, 1.0), 1)


def said(by: str, because: Because, impact: float, approach: str, memory: Rejections) -> Rejection:
    """A no of this moment, which holds for as long as the config says now."""
    days = {Because.NOT_NOW: memory.not_now_days, Because.FALSE_ALARM: 0.0}.get(because, memory.days)
    now = time.time()
    return Rejection(by, now, because, impact, approach, now + days * _DAY if days else None)


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at))
