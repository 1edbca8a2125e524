"""The judgement of a release that serves and is watched: pure, from counts of what visitors got."""

from __future__ import annotations

from dataclasses import dataclass

from aiimprove.evidence import Verdict

FAILED_PROBES = 3
FEWEST_ERRORS = 5
CLEARLY_MORE = 2.0


@dataclass(frozen=True)
class Tally:
    """What visitors of one release got: all answers, and how many of them were 5xx."""

    answers: int = 0
    errors: int = 0

    @property
    def share(self) -> float:
        return self.errors / self.answers if self.answers else 0.0


@dataclass(frozen=True)
class Judgement:
    verdict: Verdict
    why: str

    @property
    def failed(self) -> bool:
        return self.verdict is Verdict.FAILED


def judge(new: Tally, old: Tally, failed_probes: int, error_percent: float, *, over: bool) -> Judgement:
    """What is known of the new release beside the one before it. `failed_probes` counts health probes that failed in
    a row; before the watch is `over`, no failure is INCONCLUSIVE, after it PASSED."""
    if failed_probes >= FAILED_PROBES:
        return Judgement(Verdict.FAILED, f"its health failed {failed_probes} times in a row")
    worse = new.share > max(error_percent / 100, CLEARLY_MORE * old.share)
    if new.errors >= FEWEST_ERRORS and worse:
        return Judgement(Verdict.FAILED, f"{new.errors} of {new.answers} answers to visitors were server errors "
                                         f"(before: {old.errors} of {old.answers})")
    if not over:
        return Judgement(Verdict.INCONCLUSIVE, "still watched")
    return Judgement(Verdict.PASSED, f"{new.answers} answers to visitors, {new.errors} of them server errors")
