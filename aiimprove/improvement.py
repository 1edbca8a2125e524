"""One improvement and the only way to change its status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum

from aiimprove.errors import Refused
from aiimprove.evidence import Evidence
from aiimprove.finding import Finding, Json
from aiimprove.rejection import Because, Rejection


class Status(StrEnum):
    PROPOSED = "PROPOSED"
    NEEDS_AUTHOR = "NEEDS_AUTHOR"
    GENERATED = "GENERATED"
    VERIFIED = "VERIFIED"
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    APPROVED = "APPROVED"
    LIVE = "LIVE"
    FAILED = "FAILED"
    UNPROVEN = "UNPROVEN"
    REJECTED = "REJECTED"
    ROLLED_BACK = "ROLLED_BACK"
    SUPERSEDED = "SUPERSEDED"
    EXPIRED = "EXPIRED"


_GONE = frozenset({Status.SUPERSEDED})
_MOVED = frozenset({Status.GENERATED, Status.FAILED})

TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.PROPOSED: frozenset({Status.GENERATED, Status.FAILED, Status.NEEDS_AUTHOR}) | _GONE,
    Status.NEEDS_AUTHOR: frozenset({Status.PROPOSED}) | _GONE,
    Status.GENERATED: frozenset({Status.VERIFIED, Status.UNPROVEN}) | _MOVED | _GONE,
    Status.VERIFIED: frozenset({Status.AWAITING_APPROVAL, Status.EXPIRED}) | _MOVED | _GONE,
    Status.AWAITING_APPROVAL: frozenset({Status.APPROVED, Status.REJECTED, Status.EXPIRED}) | _MOVED | _GONE,
    Status.APPROVED: frozenset({Status.LIVE, Status.ROLLED_BACK, Status.REJECTED}) | _MOVED | _GONE,
    Status.LIVE: frozenset({Status.ROLLED_BACK}),
    Status.UNPROVEN: frozenset({Status.GENERATED}) | _GONE,
    Status.FAILED: frozenset(),
    Status.REJECTED: frozenset(),
    Status.ROLLED_BACK: frozenset(),
    Status.SUPERSEDED: frozenset(),
    Status.EXPIRED: frozenset(),
}

OPEN = frozenset(status for status, onward in TRANSITIONS.items() if onward and status is not Status.LIVE)
"""Statuses in which an improvement still wants something: one open improvement per cause."""


@dataclass(frozen=True)
class Approval:
    by: str
    digest: str
    at: float


@dataclass(frozen=True)
class Improvement:
    """A finding on its way to live. `version` counts its saved changes and guards against a lost update; `approach` is
    which of the author's ways wrote it, such as the recipe."""

    id: str
    finding: Finding
    status: Status = Status.PROPOSED
    version: int = 0
    author: str = ""
    branch: str = ""
    base_commit: str = ""
    commit: str = ""
    patch: str = ""
    claim: str = ""
    release: str = ""
    artifact: str = ""
    evidence: Evidence | None = None
    digest: str = ""
    approval: Approval | None = None
    reason: str = ""
    attempts: int = 0
    created: float = 0.0
    updated: float = 0.0
    notes: tuple[str, ...] = field(default_factory=tuple)
    approach: str = ""
    rejection: Rejection | None = None
    asked: float = 0.0
    """When a human was first asked about this change on this base."""

    @property
    def title(self) -> str:
        return self.finding.title

    def to_json(self) -> dict[str, Json]:
        evidence = self.evidence.to_json() if self.evidence else None
        return asdict(self) | {"finding": self.finding.to_json(), "evidence": evidence}

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> Improvement:
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        return cls(**known | {
            "finding": Finding.from_json(data["finding"]),
            "status": Status(data["status"]),
            "evidence": Evidence.from_json(data["evidence"]) if data.get("evidence") else None,
            "approval": Approval(**data["approval"]) if data.get("approval") else None,
            "rejection": _rejection(data),
            "notes": tuple(data.get("notes", ())),
        })

    def advance(self, to: Status, **changes: Json) -> Improvement:
        """The next version of this improvement, in status `to`; refused when no arrow leads there."""
        if to not in TRANSITIONS[self.status]:
            raise Refused(f"{self.id} is {self.status}: it cannot become {to}")
        return replace(self, status=to, version=self.version + 1, **changes)

    def note(self, **changes: Json) -> Improvement:
        """The next version with the same status: something was learnt, nothing moved."""
        return replace(self, version=self.version + 1, **changes)


def _rejection(data: Mapping[str, Json]) -> Rejection | None:
    """A no from before reasons had names counts as not wanted, for good."""
    known = data.get("rejection")
    if known:
        return Rejection(**known | {"because": Because(known["because"])})
    if data["status"] != Status.REJECTED:
        return None
    return Rejection("", data["updated"], Because.NOT_WANTED, data["finding"]["impact"], data["author"], None)
