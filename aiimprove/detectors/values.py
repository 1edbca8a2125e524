"""The values that are tried on a parameter, and how a person would say them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiimprove.finding import Json
from aiimprove.openapi import Parameter

INTEGERS = (-1, 0, 2 ** 31, 2 ** 63 - 1, 2 ** 63, 10 ** 20, -2 ** 31 - 1, -2 ** 63, -2 ** 63 - 1, -10 ** 20)
NUMBERS = (-1.0, 0.0, 1e20, -1e20, 1e308)
UNKNOWN, MANY = "nothing-like-this", 2 ** 31 - 2
STRINGS = (UNKNOWN, "'", "\x00", "x" * 5000, "", "%", "1e20", "-1")
IN_A_BODY = (None,)
USUAL = ("1", "2024-02-03", "00000000-0000-4000-8000-000000000000", "2024-02-03T04:05:06Z")
"""What a text may have to be when nothing says so."""
LIKELY = (UNKNOWN, -1, 0, "", "'", "%", "-1", -1.0, 0.0)
"""What people type by chance; the rest is sent by scanners."""
_HUGE = 2 ** 31 - 1
_WORDS = {"": "an empty {}", "'": "a quote in {}", "%": "a percent sign in {}", "\x00": "a NUL character in {}",
          "x" * 5000: "a very long {}", UNKNOWN: "an unknown {}"}


def hostile(parameter: Parameter) -> tuple[Json, ...]:
    """What is tried on a parameter of its type; words too where no schema keeps them from a number."""
    kinds: Mapping[str, tuple[Json, ...]] = {"integer": (*INTEGERS, *_bounds(parameter)), "number": NUMBERS,
                                             "string": STRINGS}
    anywhere = tuple(value for value in kinds.get(parameter.type, ()) if value != "" or parameter.location != "path")
    if parameter.location == "body":
        return anywhere + IN_A_BODY
    return anywhere if parameter.pointer or parameter.type not in kinds or parameter.type == "string" else (
        *anywhere, UNKNOWN)


def _bounds(parameter: Parameter) -> tuple[Json, ...]:
    """The last integers that a schema allows: what is looked up by them is seldom there."""
    said = (parameter.schema.get(word) for word in ("minimum", "maximum"))
    numbers = (int(each) for each in said if isinstance(each, int) or (isinstance(each, float) and each.is_integer()))
    return tuple(dict.fromkeys(each for each in numbers if each not in INTEGERS))


def worst(values: Sequence[Json]) -> Json:
    """The one that people are likeliest to send."""
    return next((value for value in values if value in LIKELY), values[0])


def in_words(name: str, value: Json) -> str:
    """Such as: a huge page."""
    if value is None:
        return f"null as {name}"
    if isinstance(value, str):
        return _WORDS.get(value, "{}=" + ascii(value)).format(name)
    return f"{name}={value}" if abs(value) < _HUGE else f"a huge {name}" if value > 0 else f"a very negative {name}"


def all_in_words(named: Sequence[tuple[str, Json]]) -> str:
    """What several parameters crash on: a huge page or size."""
    said = [in_words(name, value) for name, value in named]
    heads = {words.removesuffix(name) for words, (name, _) in zip(said, named, strict=True)}
    if len(heads) == 1 and len(said) > 1:
        said = [said[0], *(name for name, _ in named[1:])]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} or {said[-1]}"


def plain(value: Json) -> Json:
    """A value as it is written down: strings escaped and short."""
    return ascii(value)[:60] if isinstance(value, str) else value
