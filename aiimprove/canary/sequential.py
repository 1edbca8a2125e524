"""Four sequential tests of counts, each valid however often and whenever one looks.

Each is the logarithm of an e-process: under its hypothesis it ever exceeds ln(1/alpha) with a probability of at most
alpha (Ville's inequality; Ramdas, Grünwald, Vovk, Shafer, "Game-theoretic statistics and safe anytime-valid
inference", 2023). -inf means: nothing speaks against the hypothesis; what could be worth less than a factor of e is
not counted either, which only lowers the evidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

NOTHING = -math.inf
_CANDIDATE_PRIOR, _STABLE_PRIOR = 0.5, 0.1
_BETS = tuple((math.log(2 * bet), math.log(2 - 2 * bet)) for bet in (0.55, 0.6, 0.65, 0.7, 0.8, 0.9, 0.97))
_HARDLY = 1.0
_BISECTIONS = 40


@dataclass(frozen=True, slots=True)
class Tally:
    """Answers of one release, and how many of them were bad. A projection may hold fractions of answers."""

    answers: float = 0
    errors: float = 0

    @property
    def share(self) -> float:
        return self.errors / self.answers if self.answers else 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.answers + other.answers, self.errors + other.errors)

    def __sub__(self, other: Tally) -> Tally:
        return Tally(self.answers - other.answers, self.errors - other.errors)

    def times(self, factor: float) -> Tally:
        return Tally(self.answers * factor, self.errors * factor)


def more_errors(candidate: Tally, stable: Tally, tolerated: float) -> float:
    """Against "the candidate's probability of a bad answer is at most max(stable's, `tolerated`)".

    Both probabilities are unknown. Beta mixtures for both, over the largest likelihood that the hypothesis allows:
    universal inference (Wasserman, Ramdas, Balakrishnan, PNAS 2020, section 8).
    """
    if candidate.share <= max(stable.share, tolerated):
        return NOTHING
    if _fit(candidate, candidate.share) - _fit(candidate, tolerated) < _HARDLY:
        return NOTHING
    pooled = (candidate + stable).share
    allowed = max(_fit(candidate, tolerated) + _fit(stable, stable.share),
                  _fit(candidate, pooled) + _fit(stable, pooled))
    return _mixture(candidate, _CANDIDATE_PRIOR) + _mixture(stable, _STABLE_PRIOR) - allowed


def hardly_more_errors(candidate: Tally, stable: Tally, points: float) -> float:
    """Against "the candidate's probability of a bad answer is at least stable's plus `points`" (0.03: 3 of 100)."""
    if not candidate.answers or candidate.share >= stable.share + points:
        return NOTHING
    below = _likeliest(candidate, stable, points)
    allowed = _fit(candidate, below + points) + _fit(stable, below)
    return _mixture(candidate, _STABLE_PRIOR) + _mixture(stable, _STABLE_PRIOR) - allowed


def more_often(times: float, of: float) -> float:
    """Against "it happens at most every other time": a mixture of constant bets on a coin (Waudby-Smith, Ramdas,
    "Estimating means of bounded random variables by betting", JRSS B 2024)."""
    more = 2 * times - of
    if more <= 0 or more * more < 2 * of * _HARDLY:
        return NOTHING
    gains = [times * won + (of - times) * lost for won, lost in _BETS]
    most = max(gains)
    return most + math.log(sum(math.exp(gain - most) for gain in gains) / len(_BETS))


def less_often(times: float, of: float) -> float:
    """Against "it happens at least every other time"."""
    return more_often(of - times, of)


def _mixture(tally: Tally, prior: float) -> float:
    """The logarithm of the probability of such a sequence when the share of errors is drawn from Beta(prior, 1):
    near zero before anything is known, and cheap for releases without errors."""
    good = tally.answers - tally.errors
    return (math.lgamma(prior + tally.errors) + math.lgamma(1 + good) - math.lgamma(prior + 1 + tally.answers)
            + math.log(prior))


def _fit(tally: Tally, share: float) -> float:
    """The logarithm of the likelihood of a share of errors."""
    good = tally.answers - tally.errors
    bad = tally.errors * math.log(share) if tally.errors else 0.0
    return bad + (good * math.log1p(-share) if good else 0.0)


def _likeliest(candidate: Tally, stable: Tally, points: float) -> float:
    """Stable's most likely share of errors when the candidate's is exactly `points` above it: the zero of a falling
    slope."""
    low, high = 1e-9, 1 - points - 1e-9
    for _ in range(_BISECTIONS):
        at = (low + high) / 2
        slope = (stable.errors / at - (stable.answers - stable.errors) / (1 - at)
                 + candidate.errors / (at + points) - (candidate.answers - candidate.errors) / (1 - at - points))
        low, high = (at, high) if slope > 0 else (low, at)
    return low
