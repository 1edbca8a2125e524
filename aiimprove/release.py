"""Releases, the slots they run in, and the record of putting one live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum

from aiimprove.errors import Refused
from aiimprove.finding import Json


class Slot(StrEnum):
    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> Slot:
        return Slot.GREEN if self is Slot.BLUE else Slot.BLUE


class Environment(StrEnum):
    LIVE = "live"
    DEV = "dev"


@dataclass(frozen=True)
class Release:
    """A directory built once from one commit, never edited again.

    `services` maps a service to the digest of its artifact (what stands in artifacts/<digest>);
    `artifact` is the digest over all of them: what an approval names. `settings` is how each service was started and
    asked for its health when the release was made, `secrets` the digest of the live env file at that time; both are
    empty in a release that was made before they were kept, and then the present ones count.
    """

    id: str
    commit: str
    services: Mapping[str, str]
    dependencies: Mapping[str, str]
    artifact: str
    made: float = 0.0
    settings: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    secrets: str = ""

    def to_json(self) -> dict[str, Json]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> Release:
        """What a later aiimprove added is left out, so that an earlier one still reads it. Raises TypeError."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in known})


MACHINE_FAILED = "the machine failed"
"""How the message of a deployment begins that is tried again after a pause."""


class DeploymentStatus(StrEnum):
    PREPARED = "PREPARED"
    STARTED = "STARTED"
    CANARY = "CANARY"
    WATCHING = "WATCHING"
    COMMITTED = "COMMITTED"
    ABORTED = "ABORTED"

    @property
    def final(self) -> bool:
        return self in (DeploymentStatus.COMMITTED, DeploymentStatus.ABORTED)


_ORDER = tuple(DeploymentStatus)[:5]


@dataclass(frozen=True)
class Deployment:
    """One attempt to put `release` in the place of `replaces`; improvements named are added or removed by it."""

    id: str
    release: str
    replaces: str
    slot: Slot
    status: DeploymentStatus = DeploymentStatus.PREPARED
    version: int = 0
    reason: str = "deploy"
    adds: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    message: str = ""
    started: float = 0.0
    finished: float = 0.0

    @property
    def ended(self) -> bool:
        return self.status.final

    def advance(self, to: DeploymentStatus, message: str = "", **changes: Json) -> Deployment:
        """The next version of this deployment; only forward, or to ABORTED."""
        undone = to is DeploymentStatus.ABORTED
        if self.ended or not (undone or _ORDER.index(to) > _ORDER.index(self.status)):
            raise Refused(f"deployment {self.id} is {self.status}: it cannot become {to}")
        return replace(self, status=to, version=self.version + 1, message=message, **changes)

    def note(self, message: str) -> Deployment:
        """The next version, at the same status."""
        return replace(self, version=self.version + 1, message=message)

    def to_json(self) -> dict[str, Json]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> Deployment:
        return cls(**dict(data) | {
            "slot": Slot(data["slot"]), "status": DeploymentStatus(data["status"]),
            "adds": tuple(data["adds"]), "removes": tuple(data["removes"]),
        })
