"""What every bench shares: its words on the command line, its table, its JSON and its targets."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Wanted:
    """How to measure. `short`: fewer repetitions, for a test. `scratch`: a folder whose builds are kept and used again
    (empty: a temporary one). `more`: what only this bench can be told."""

    short: bool = False
    scratch: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """A figure that is published, and the most that it may be."""

    name: str
    value: float
    bound: float

    @property
    def holds(self) -> bool:
        return self.value <= self.bound  # not a number holds nothing

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "value": self.value, "bound": self.bound, "holds": self.holds}


@dataclass(frozen=True)
class Figures:
    rows: Sequence[Row]
    targets: Sequence[Target]


def percentile(values: Iterable[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed (nearest rank); not a number of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def main(bench: str, about: str | None, measure: Callable[[Wanted], Figures],
         more: Mapping[str, tuple[type, str]] | None = None) -> None:
    """Measure, print the table, write the JSON; exit 0 when every target holds, else 1. `more`: further options of
    the command line, each with the type (list: several words) and the meaning of its value."""
    words = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--short", action="store_true", help="fewer repetitions")
    words.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    words.add_argument("--scratch", default="", metavar="FOLDER", help="keep what is built there, for the next time")
    for name, (kind, meaning) in (more or {}).items():
        several = {"nargs": "*", "type": str} if kind is list else {"type": kind}
        words.add_argument(f"--{name}", **several, default=kind(), help=meaning)
    said = words.parse_args()
    load = os.getloadavg()[0]
    found = measure(Wanted(said.short, said.scratch, vars(said)))
    print(_table(found.rows), *map(_sentence, found.targets), sep="\n")
    print(f"(load of the machine: {load:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores)")
    if said.json:
        written = {"bench": bench, "short": said.short, "rows": list(found.rows),
                   "targets": [each.to_json() for each in found.targets], "load": [load, os.getloadavg()[0]]}
        said.json.write_text(json.dumps(written, indent=1) + "\n")
    sys.exit(0 if all(each.holds for each in found.targets) else 1)


def _sentence(target: Target) -> str:
    word = "holds" if target.holds else "DOES NOT HOLD"
    return f"{target.name}: {_shown(target.value)} (at most {_shown(target.bound)}) {word}"


def _table(rows: Sequence[Row]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([_shown(row.get(name, "")) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines) + "\n"


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
