"""Where the numbers that crash begin: the last value on each side that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable

KNOWN = tuple(sorted({0, 1, -1, *(sign * 2 ** bits + less for bits in (15, 16, 31, 32, 53, 63, 64)
                                  for sign, less in ((1, 0), (1, -1), (-1, 0), (-1, -1)))}))
"""Values beside which a border is likely: the edges of the machine's integers."""


def border(passing: int, crashing: int, crashes: Callable[[int], bool]) -> int:
    """The last value from `passing` towards `crashing` that does not crash; about 65 questions at most.

    There must be one border between the two: see `one_sided`.
    """
    for value in _between(passing, crashing):
        if crashes(value):
            crashing = value
            break
        passing = value
    while abs(crashing - passing) > 1:
        middle = (passing + crashing) // 2
        if crashes(middle):
            crashing = middle
        else:
            passing = middle
    return passing


def _between(passing: int, crashing: int) -> list[int]:
    """The known values between the two, in the order in which they are met."""
    low, high = sorted((passing, crashing))
    values = [value for value in KNOWN if low < value < high]
    return values if passing < crashing else values[::-1]


def one_sided(passes: Iterable[int], crashes: Iterable[int]) -> bool:
    """Whether the passing values are one stretch: nothing that crashes lies between two that pass."""
    low, high = min(passes), max(passes)
    return not any(low < value < high for value in crashes)
