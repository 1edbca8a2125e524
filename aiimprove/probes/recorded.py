"""What the SQL recorder wrote: the statements that a service sends while it answers one request."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aiimprove.errors import AiimproveError
from aiimprove.finding import Json

FOLDER = ".recorded-sql"
"""Where the recorder writes, in the data of a copy that it stands in."""
STATEMENTS = "statements"
"""The kind of probe that counts them."""
_LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b", re.IGNORECASE)
_LIST = re.compile(r"\(\s*\?(?:\s*,\s*\?)+\s*\)")


_TABLE = re.compile(r"\bFROM\s+[\"`\[]?(\w+)", re.IGNORECASE)


class NotRecorded(AiimproveError):
    """Nothing writes down the statements of this copy, so that they cannot be counted."""

    code = "not_recorded"


def shape(sql: str) -> str:
    """The statement without its values and spaces: equal for the same statement with other values."""
    return " ".join(_LIST.sub("(?)", _LITERAL.sub("?", sql)).split())


def table(sql: str) -> str:
    """The first table that a SELECT names, in small letters; empty when it names none."""
    named = _TABLE.search(sql)
    return named[1].lower() if named else ""


@dataclass(frozen=True)
class Sent:
    """A statement that was sent: its shape, the first example of it, and the lines of the program that were under way
    then, the innermost first (file, line, function)."""

    shape: str
    database: str
    sql: str
    sent_by: tuple[tuple[str, int, str], ...]

    @property
    def line(self) -> tuple[str, tuple[tuple[str, int, str], ...]]:
        """The statement and the line that sent it: who is signed in is asked for by another line than authors are."""
        return self.shape, self.sent_by[:1]


@dataclass
class Recorded:
    """What the recorder has written below `folder`, read on from where it was read last: `offsets` by file name."""

    folder: Path
    offsets: dict[str, int] = field(default_factory=dict)
    _known: dict[tuple[str, int], Sent] = field(default_factory=dict)

    def fresh(self) -> Iterator[Sent]:
        """Each statement that is new, in the order in which its process sent it."""
        for file, row in self._rows():
            if "sql" in row:
                sent_by = tuple((name, line, function) for name, line, function in row.get("sent_by", ()))
                sent = Sent(shape(row["sql"]), row["database"], row["sql"], sent_by)
                yield self._known.setdefault((file, row.get("shape", -1)), sent) if "shape" in row else sent
            elif (file, row.get("again")) in self._known:
                yield self._known[file, row["again"]]

    def examples(self) -> Iterator[tuple[str, str]]:
        """Database and statement of each example that is new."""
        for _, row in self._rows():
            if "sql" in row:
                yield row["database"], row["sql"]

    def _rows(self) -> Iterator[tuple[str, dict[str, Json]]]:
        for file in sorted(self.folder.glob("*.jsonl")):
            with file.open("rb") as lines:
                lines.seek(self.offsets.get(file.name, 0))
                for line in lines:
                    if line.endswith(b"\n"):
                        self.offsets[file.name] = self.offsets.get(file.name, 0) + len(line)
                        yield file.name, json.loads(line)


def reading(data: Path) -> Recorded:
    """The record of a copy, read to its end. Raises NotRecorded."""
    if not (data / FOLDER).is_dir():
        raise NotRecorded("nothing records the statements of this copy")
    recorded = Recorded(data / FOLDER)
    for _ in recorded.fresh():
        pass
    return recorded


def repeats(sent: Iterable[Sent], of: str) -> int:
    """How often the statement was sent that was sent most, of those that read a table."""
    return max(Counter(each.shape for each in sent if table(each.sql) == of).values(), default=0)
