"""A finding: one thing about the running app that could be better, with the probe that shows it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

Json = Any  # a value that json.dumps takes
LISTED = "listed_because"
"""Of a finding that is only listed: why it cannot be shown or written, among its details."""


class Kind(StrEnum):
    PERFORMANCE = "performance"
    BUG = "bug"
    SECURITY = "security"
    FEATURE = "feature"


@dataclass(frozen=True)
class Probe:
    """A small repeatable check that fails on the live version and must pass on the candidate.

    `kind` names how it is replayed (a row in `probes.REPLAYS`), `service` which service it speaks to,
    `request` what is sent and `expect` what a good answer is. All of it is plain JSON.
    """

    kind: str
    service: str
    request: Mapping[str, Json]
    expect: Mapping[str, Json]

    def digest(self) -> str:
        return digest_of(asdict(self))


@dataclass(frozen=True)
class Finding:
    """What a detector saw. `cause` and `place` make the fingerprint, so that one cause is one finding. A place is
    named by what outlives moved and renamed files: a route, a function, a table; never by a file or a line.

    `impact` ranks findings against each other: 0 (nobody notices) to 100 (everybody is hit).
    `details` is what an author needs beyond the probe: parameter names, statements, header names.
    """

    detector: str
    kind: Kind
    cause: str
    place: str
    title: str
    summary: str
    probe: Probe
    impact: float = 0.0
    details: Mapping[str, Json] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Stable over time, machines and wording: the same cause in the same place."""
        return digest_of([self.kind, self.cause, self.place])[:16]

    def to_json(self) -> dict[str, Json]:
        return asdict(self) | {"fingerprint": self.fingerprint}

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> Finding:
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        return cls(**known | {"kind": Kind(data["kind"]), "probe": Probe(**data["probe"])})


def digest_of(value: Json) -> str:
    """SHA-256 in hex over the canonical JSON of a value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
