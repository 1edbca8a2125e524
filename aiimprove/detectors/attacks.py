"""Texts that mean something else once they stand in an SQL statement: the quotes that end a value, and what may follow.

Nothing is destroyed or slept for: a comparison is added to the statement's own, and what is answered is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aiimprove.detectors.values import UNKNOWN

QUOTES = ("'", '"')
_WORD, _OTHER = "qk7", "qk8"
"""Words that no data holds: a search by words finds the same for both."""


@dataclass(frozen=True)
class Attack:
    """Two texts that a value in a statement is never told apart by: one adds what is always true, the other what is
    never true. `plain` is the text without either."""

    plain: str
    true: str
    false: str

    @property
    def said(self) -> list[str]:
        """What answers may repeat."""
        return [self.true, self.false, self.plain]


def broken(plain: str, quote: str) -> str:
    """A text that ends its value too early."""
    return plain + quote


def whole(plain: str, quote: str) -> str:
    """The same with a quote that SQL reads as one of the value's own."""
    return plain + quote + quote


def quoted(value: str, quote: str) -> Iterator[Attack]:
    """Attacks out of a quoted value. LIKE makes the same of its quotes, and of percent signs beside them, as `=`."""
    for plain, word in ((UNKNOWN, "OR"), (value, "OR"), (value, "AND")):
        head = f"{plain}{quote} {word} {quote}{_WORD}{quote} LIKE {quote}"
        yield Attack(plain, head + _WORD, head + _OTHER)


def bare(value: str) -> Iterator[Attack]:
    """Attacks out of a number that stands in the statement without quotes."""
    if value.isdigit():
        for word in ("OR", "AND"):
            yield Attack(value, f"{value} {word} 1=1", f"{value} {word} 1=2")
