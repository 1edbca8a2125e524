"""Evidence: what the checks saw when a candidate stood beside its baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from aiimprove.finding import Json, digest_of


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    ERRORED = "errored"
    """The infrastructure failed, not the candidate: tried again, never counted against it."""


@dataclass(frozen=True)
class Measurement:
    """One figure, before (baseline) and after (candidate), in `unit`."""

    name: str
    before: float | str | None
    after: float | str | None
    unit: str = ""


@dataclass(frozen=True)
class Check:
    """The answer of one check, with a sentence a person can read."""

    name: str
    verdict: Verdict
    summary: str
    measurements: tuple[Measurement, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """All checks of one candidate against one baseline. The digest covers everything but the time they took.

    `also` has the fingerprint and title of every other finding that the candidate mends too.
    """

    baseline_commit: str
    candidate_commit: str
    checks: tuple[Check, ...]
    not_checked: tuple[str, ...] = ()
    artifact: str = ""
    judge: str = ""
    probe: str = ""
    made: float = field(default=0.0, compare=False)
    also: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        body = asdict(self)
        body.pop("made")
        for check in body["checks"]:
            check.pop("seconds")
        return digest_of(body)

    @property
    def verdict(self) -> Verdict:
        """The worst answer: errored, then failed, then inconclusive; passed only when every check passed."""
        verdicts = {check.verdict for check in self.checks}
        for worst in (Verdict.ERRORED, Verdict.FAILED, Verdict.INCONCLUSIVE):
            if worst in verdicts:
                return worst
        return Verdict.PASSED if self.checks else Verdict.INCONCLUSIVE

    def to_json(self) -> dict[str, Json]:
        return asdict(self) | {"digest": self.digest, "verdict": self.verdict}

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> Evidence:
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        return cls(**known | {"checks": tuple(_check(row) for row in data["checks"]),
                              "not_checked": tuple(data.get("not_checked", ()))})


def _check(row: Mapping[str, Json]) -> Check:
    measurements = tuple(Measurement(**each) for each in row.get("measurements", ()))
    return Check(row["name"], Verdict(row["verdict"]), row["summary"], measurements, row.get("seconds", 0.0))
