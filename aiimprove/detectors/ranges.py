"""Whether the border of what crashes is a limit of the machine's or the calendar's, or only of today's data."""

from __future__ import annotations

from aiimprove.detectors.tracebacks import Crash

_BITS = (15, 16, 31, 32, 53, 63, 64)
_MOST_DIVISOR = 1000
_CALENDAR = frozenset({0, 1, 12, 23, 31, 53, 59, 365, 366, 9999, 999_999_999})
_LOOKUPS = frozenset({"AttributeError", "KeyError", "IndexError", "LookupError", "TypeError", "IntegrityError",
                      "NoResultFound", "MultipleResultsFound", "DoesNotExist", "NotFound", "StopIteration",
                      "UnboundLocalError", "AssertionError", "HTTPException"})
"""What is raised when something is not there: tomorrow it may be."""


def is_limit(border: int, beyond: Crash | None) -> bool:
    """Whether a bound at this value is right tomorrow too; `beyond` is what the next value raises, when it is known.

    The largest identifier in a table is a border as well, and a bound there would refuse the next row.
    """
    if _is_machine_limit(border):
        return True
    if beyond is None or beyond.exception in _LOOKUPS:
        return False
    if border in (0, 1):
        return True
    return border in _CALENDAR and any(words in beyond.message for words in ("out of range", "must be"))


def _is_machine_limit(value: int) -> bool:
    if any(abs(abs(value) - 2 ** bits) <= 1 for bits in _BITS):
        return True
    return abs(value) > 2 ** 48 and any(abs(abs(value) - (2 ** 63 - 1) // divisor) <= 1
                                        for divisor in range(2, _MOST_DIVISOR + 1))
