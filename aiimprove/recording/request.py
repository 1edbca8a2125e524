"""One recorded request, and the shape that it shares with others that are alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from urllib.parse import parse_qsl

from aiimprove.canary.routes import READS, route
from aiimprove.finding import Json

DEEPEST = 4
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Recorded:
    """A request as it is replayed: redacted, with header names in small letters. `share` is the percentage that was
    drawn when it was met."""

    service: str
    method: str
    uri: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    at: float = 0.0
    share: float = 100.0

    @property
    def route(self) -> str:
        return route(self.service, self.method, self.uri)

    @property
    def writes(self) -> bool:
        return self.method not in READS

    @property
    def shape(self) -> str:
        """Route, names of the query and, of a body, names and types: `POST api/items ?dry {name:str}`."""
        names = sorted({name for name, _ in parse_qsl(self.uri.partition("?")[2], keep_blank_values=True)})
        return " ".join(filter(None, (self.route, f"?{','.join(names)}" if names else "", self._body())))

    def _body(self) -> str:
        if not self.body:
            return ""
        if self.headers.get("content-type", "").startswith(FORM):
            return "form{" + ",".join(sorted({name for name, _ in parse_qsl(self.body, keep_blank_values=True)})) + "}"
        return types(json.loads(self.body))


def types(document: Json, depth: int = 0) -> str:
    """The names and types of a JSON document; of a list, those of its first element."""
    if isinstance(document, dict):
        inner = "..." if depth >= DEEPEST else ",".join(
            f"{name}:{types(value, depth + 1)}" for name, value in sorted(document.items()))
        return "{" + inner + "}"
    if isinstance(document, list):
        return f"[{types(document[0], depth + 1) if document else ''}]"
    return {"NoneType": "null", "float": "number", "int": "number"}.get(type(document).__name__,
                                                                       type(document).__name__)


@dataclass(frozen=True)
class Traffic:
    """What visitors asked in the last day: how often each shape was met (estimated from what was drawn), and examples
    in the order in which they were met."""

    met: Mapping[str, float] = field(default_factory=dict)
    examples: tuple[Recorded, ...] = ()

    def to_json(self) -> dict[str, Json]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> Traffic:
        return cls(data["met"], tuple(Recorded(**each) for each in data["examples"]))


NO_TRAFFIC = Traffic()
