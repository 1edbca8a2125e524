"""What paired figures say: is one side larger, by how much, and between what."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import groupby


def signed_rank(differences: Sequence[float]) -> float:
    """The chance of differences this much above zero if they lie evenly around it (one-sided signed-rank test, normal
    approximation with the correction for ties, zeros left out; Wilcoxon 1945, Biometrics Bulletin 1:80-83)."""
    ranked, above, ties = 0, 0.0, 0.0
    for _, group in groupby(sorted(filter(None, differences), key=abs), key=abs):
        same = list(group)
        above += sum(value > 0 for value in same) * (ranked + (len(same) + 1) / 2)
        ties += len(same) ** 3 - len(same)
        ranked += len(same)
    if not ranked:
        return 1.0
    spread = math.sqrt(ranked * (ranked + 1) * (2 * ranked + 1) / 24 - ties / 48)
    return math.erfc((above - ranked * (ranked + 1) / 4 - 0.5) / spread / math.sqrt(2)) / 2


def shift(differences: Sequence[float]) -> float:
    """How much: the median of the means of all pairs of differences (Hodges and Lehmann 1963, Annals of Mathematical
    Statistics 34:598-611). A third of the differences may be anything without moving it far."""
    return statistics.median(_means(differences))


def interval(differences: Sequence[float], sure: float) -> tuple[float, float]:
    """Between what the shift lies, wrong in a share of `sure` of all cases (Hollander and Wolfe, Nonparametric
    Statistical Methods, on the signed-rank test)."""
    n, means = len(differences), sorted(_means(differences))
    spread = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    cut = max(0, math.floor(n * (n + 1) / 4 - statistics.NormalDist().inv_cdf(1 - sure / 2) * spread))
    return means[cut], means[-1 - cut]


def _means(differences: Sequence[float]) -> list[float]:
    return [(one + two) / 2 for place, one in enumerate(differences) for two in differences[place:]]
