"""An event: something that happened, append-only, chained by hash so that an edited byte shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aiimprove.finding import Json

GENESIS = "0" * 64


@dataclass(frozen=True)
class Event:
    """`name` is past tense (`release.promoted`), `performer` who did it, `version` the version that it made of its
    subject (0 when it changed none)."""

    name: str
    subject: str
    performer: str
    body: Mapping[str, Json] = field(default_factory=dict)
    version: int = 0
    at: float = 0.0


def chain(before: str, event: Event) -> str:
    """The hash of an event on top of the hash before it."""
    fields = [before, event.at, event.name, event.subject, event.version, event.performer, event.body]
    return hashlib.sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def first_break(rows: Iterable[tuple[int, str, str, Event]], start: str = GENESIS) -> int | None:
    """The number of the first row (number, before, hash, event) that does not follow from the one before it; the
    first of all follows from `start`."""
    expected_before, expected_number = start, None
    for number, before, found, event in rows:
        if before != expected_before or found != chain(before, event):
            return number
        if expected_number is not None and number != expected_number:
            return number
        expected_before, expected_number = found, number + 1
    return None
