"""The text format of metrics that monitoring systems read (OpenMetrics 1.0, a superset of Prometheus' own)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


@dataclass(frozen=True)
class Sample:
    """One line: the suffix that its kind of metric wants ("_total", "_bucket", ... or none), labels and value."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ""


@dataclass(frozen=True)
class Family:
    """A metric: `kind` is counter, gauge, histogram, summary or info; a name with a unit ends with it."""

    name: str
    kind: str
    meaning: str
    samples: tuple[Sample, ...]
    unit: str = ""


def counter(name: str, meaning: str, samples: Iterable[Sample], unit: str = "") -> Family:
    return Family(name, "counter", meaning, tuple(Sample(each.value, each.labels, "_total") for each in samples), unit)


def gauge(name: str, meaning: str, samples: Iterable[Sample], unit: str = "") -> Family:
    return Family(name, "gauge", meaning, tuple(samples), unit)


def info(name: str, meaning: str, labels: Mapping[str, str]) -> Family:
    return Family(name, "info", meaning, (Sample(1, labels, "_info"),))


def histogram(labels: Mapping[str, str], bounds: tuple[float, ...], counts: tuple[int, ...],
              total: float) -> Iterator[Sample]:
    """The samples of one histogram. `counts` holds how many values fell between one bound and the next, and at last
    how many lie beyond them all; `total` is the sum of all values."""
    seen = 0
    for bound, count in zip((*bounds, math.inf), counts, strict=True):
        seen += count
        yield Sample(seen, {**labels, "le": _number(bound)}, "_bucket")
    yield Sample(seen, labels, "_count")
    yield Sample(total, labels, "_sum")


def text(families: Iterable[Family]) -> str:
    """The whole page, with its end mark: who reads one without it knows that something is missing."""
    return "".join(line + "\n" for family in families for line in _lines(family)) + "# EOF\n"


def _lines(family: Family) -> Iterator[str]:
    yield f"# TYPE {family.name} {family.kind}"
    if family.unit:
        yield f"# UNIT {family.name} {family.unit}"
    yield f"# HELP {family.name} {family.meaning.translate(_ESCAPED)}"
    for sample in family.samples:
        yield f"{family.name}{sample.suffix}{_labels(sample.labels)} {_number(sample.value)}"


def _labels(labels: Mapping[str, str]) -> str:
    shown = ",".join(f'{name}="{value.translate(_ESCAPED)}"' for name, value in labels.items())
    return f"{{{shown}}}" if shown else ""


def _number(value: float) -> str:
    """Whole numbers of samples stay whole; a bound is always written with its point, as the standard wants."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(value)
