"""Mutants of the lines that a patch changed: each is one small mistake that a good proof must notice.

Mutation as a measure of tests: DeMillo, Lipton and Sayward 1978, "Hints on Test Data Selection", Computer 11(4).
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import cast

from aiimprove.finding import digest_of

LANGUAGES = {".py": "python", ".sql": "sql", **dict.fromkeys((".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".tsx"),
                                                             "script")}
"""The module of this package that makes mutants of a file, by how its name ends."""


@dataclass(frozen=True)
class Mutant:
    """A file with one mistake in it: `text` is the whole file, `line` where it stands, `change` what was done."""

    path: str
    line: int
    change: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.change}"


def speaks(path: str) -> bool:
    """Whether mutants of such a file can be made."""
    return PurePosixPath(path).suffix in LANGUAGES


def mutants(path: str, before: str, after: str) -> list[Mutant]:
    """Every mutant of the lines that differ from `before`, without those that are the same program; in the order of
    their lines."""
    module = importlib.import_module(f"{__name__}.{LANGUAGES[PurePosixPath(path).suffix]}")
    make = cast(Callable[[str, set[int]], Iterable[tuple[int, str, str]]], module.mutated)
    found = {text: Mutant(path, line, change, text) for line, change, text in make(after, changed_lines(before, after))
             if text != after}
    return sorted(found.values(), key=lambda each: (each.line, each.change))


def changed_lines(before: str, after: str) -> set[int]:
    """Numbers (from 1) of the lines of `after` that `before` does not have. A line that was only moved in or out says
    what it said: the mistakes that it may hold are not the patch's."""
    old, new = ([line.strip() for line in text.splitlines()] for text in (before, after))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return {line + 1 for tag, _, _, start, end in matcher.get_opcodes() if tag != "equal" for line in range(start, end)}


def chosen(every: Sequence[Mutant], most: int) -> list[Mutant]:
    """At most `most` of them, spread evenly over the changed lines; the same ones each time.

    Spread lines come first, so that whoever is cut short has seen all of the patch thinly.
    """
    lines: dict[tuple[str, int], list[Mutant]] = {}
    for each in every:
        lines.setdefault((each.path, each.line), []).append(each)
    for row in lines.values():
        row.sort(key=lambda each: digest_of([each.path, each.change, each.text]))
    rounds = [[row[turn] for row in lines.values() if len(row) > turn]
              for turn in range(max(map(len, lines.values()), default=0))]
    return [each for row in rounds for each in _spread(row)][:most]


def _spread(row: list[Mutant]) -> list[Mutant]:
    """Every other one first, then those between."""
    return row if len(row) < 3 else [*_spread(row[::2]), *row[1::2]]

