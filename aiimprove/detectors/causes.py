"""Why a value crashed a route, told from what was raised."""

from __future__ import annotations

from aiimprove.detectors.tracebacks import Crash
from aiimprove.finding import Json
from aiimprove.openapi import Parameter

Told = tuple[Json, Crash | None]
"""A value that crashes, and what the log says about it."""

RANGE, OTHER = "integer-out-of-range", "hostile-value"
LOOKUP, NULL, BAD = "missing-lookup", "null-in-body", "bad-value"
NAMED = frozenset({LOOKUP, NULL, BAD})
"""What has one cause at one place of the code, whichever routes lead there."""
_ON_NONE = frozenset({"AttributeError", "TypeError", "UnmappedInstanceError"})
_ABSENT = {"DoesNotExist": "", "NoResultFound": "", "IndexError": "out of range"}
"""What a lookup raises that finds nothing (Django's, SQLAlchemy's, a list's), and what it must say."""
_UNREADABLE = frozenset({"ValueError", "KeyError", "InvalidOperation"})


def cause_of(value: Json, location: str, crash: Crash | None) -> str:
    """The cause of one crash; OTHER when the log does not tell where in the app it was."""
    if crash is None:
        return OTHER
    if value is None and location == "body":
        return NULL
    if crash.exception in _ON_NONE and "NoneType" in crash.message:
        return LOOKUP
    if crash.exception in _ABSENT and _ABSENT[crash.exception] in crash.message:
        return LOOKUP
    return BAD if crash.exception in _UNREADABLE else OTHER


def grouped(parameter: Parameter, told: list[Told]) -> list[tuple[str, list[Told]]]:
    """What crashes alike, with its cause; without one (empty) what a border may explain, all of it together.

    Where a lookup finds nothing, no border can be told from what is there by chance: that waits until it is mended.
    """
    groups: dict[tuple[str, str], list[Told]] = {}
    for value, crash in told:
        cause = cause_of(value, parameter.location, crash)
        bordered = isinstance(value, int) and cause == BAD and crash and crash.exception == "ValueError"
        key = (cause, crash.signature) if crash and cause in NAMED and not bordered else ("", "")
        groups.setdefault(key, []).append((value, crash))
    if any(cause == LOOKUP for cause, _ in groups):
        groups.pop(("", ""), None)
    return [(cause, alike) for (cause, _), alike in groups.items()]
