"""What a proof says that live will do once the improvement is there, and whether it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from aiimprove.evidence import Evidence
from aiimprove.finding import Json, Probe

FIGURE = "figure of the probe"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_MARGINS = {"bytes": (0.8, 1.2), "ms": (0.0, 3.0)}
"""Between what share and what multiple of the proof's figure live may be: its data grow, and it does other things too.
Any other unit is a count, and must be the same."""


@dataclass(frozen=True)
class Prediction:
    """The figure that the probe will give on live: `expected`, at least `low` and at most `high`, in `unit`."""

    unit: str
    before: float
    expected: float
    low: float
    high: float

    @property
    def words(self) -> str:
        if self.low == self.high:
            return f"{self.before:g} {self.unit} become {self.expected:g}"
        return f"{self.before:g} {self.unit} become about {self.expected:g} (between {self.low:g} and {self.high:g})"

    def to_json(self) -> dict[str, Json]:
        return asdict(self) | {"words": self.words}


def predict(evidence: Evidence | None) -> Prediction | None:
    """What the proof predicts; None when its probe gave no figure."""
    rows = [row for check in (evidence.checks if evidence else ()) if check.name == "probe"
            for row in check.measurements if row.name == FIGURE]
    if not rows or isinstance(rows[0].before, str | None) or isinstance(rows[0].after, str | None):
        return None
    unit, before, after = rows[0].unit, rows[0].before, rows[0].after
    least, most = _MARGINS.get(unit, (1.0, 1.0))
    return Prediction(unit, before, after, round(least * after, 3), round(most * after, 3))


def only_reads(probe: Probe) -> bool:
    """Whether live may be asked: nothing is written by it."""
    requests = (probe.request, *probe.request.get("also", ()))
    if probe.kind in ("alike", "hanging", "statements"):  # an attack, work for nothing, or what live does not record
        return False
    return probe.kind == "query-plan" or all(str(each.get("method", "")).upper() in _READS for each in requests)


def missed(prediction: Prediction | None, passed: Sequence[bool], figures: Sequence[float]) -> str:
    """Why live does not do what was predicted; empty when it does."""
    if not all(passed):
        return f"the probe fails {passed.count(False)} of {len(passed)} times on live"
    middle = sorted(figures)[len(figures) // 2] if figures else None
    if prediction is None or middle is None or prediction.low <= middle <= prediction.high:
        return ""
    return f"live shows {middle:g} {prediction.unit}, {prediction.words} was predicted"
