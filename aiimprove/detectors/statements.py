"""What a SELECT asks of its tables: which columns it compares, sorts and groups by. A reader, not a full parser:
what it proposes is measured afterwards, so that a wrong guess costs a moment and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"""
    '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \[[^\]]*\] | --[^\n]* | /\*.*?\*/
    | [A-Za-z_]\w* | \d+(?:\.\d+)?(?:[eE][+-]?\d+)? | <= | >= | <> | != | == | \|\| | \S""", re.VERBOSE | re.DOTALL)
_ENDS = {"LIMIT", "HAVING", "UNION", "EXCEPT", "INTERSECT", "WINDOW", "OFFSET", ")", ";"}
_NOT_ALIASES = _ENDS | {"WHERE", "ON", "USING", "LEFT", "INNER", "CROSS", "JOIN", "OUTER", "NATURAL", "GROUP", "ORDER",
                        "SET", "INDEXED", "NOT", "FULL", "RIGHT", ","}


@dataclass(frozen=True)
class Sorted:
    """One term of an ORDER BY: a column with its collation (or empty) and direction."""

    column: str
    collation: str
    descending: bool


@dataclass(frozen=True)
class Asked:
    """What a statement asks of one table, in the order in which it says so."""

    equal: tuple[str, ...]
    ranges: tuple[str, ...]
    order: tuple[Sorted, ...]
    group: tuple[str, ...]


def tokens(sql: str) -> list[str]:
    """The words of a statement; names without their quotes, comments left out."""
    return [_bare(each) for each in _TOKEN.findall(sql) if not each.startswith(("--", "/*"))]


def _bare(token: str) -> str:
    return token[1:-1] if token[0] in '"`[' and len(token) > 2 else token


def aliases(words: list[str]) -> dict[str, str]:
    """Alias (or the name itself) → table, for every table after FROM, JOIN or a comma between tables."""
    found: dict[str, str] = {}
    in_from = False
    for index, word in enumerate(words[:-1]):
        upper = word.upper()
        if upper in ("FROM", "JOIN") or (word == "," and in_from):
            in_from = True
            table, rest = words[index + 1], words[index + 2:index + 4]
            if table == "(" or not re.match(r"\w", table):
                continue
            alias = rest[1] if len(rest) > 1 and rest[0].upper() == "AS" else rest[0] if rest else ""
            usable = re.match(r"[A-Za-z_]\w*$", alias) and alias.upper() not in _NOT_ALIASES
            found[alias if usable else table] = table
        elif upper in ("WHERE", "SELECT", "ON", "GROUP", "ORDER", "("):
            in_from = False
    return found


def asked(words: list[str], alias: str, columns: set[str]) -> Asked:
    """What the statement asks of the table that is called `alias` in it and has these columns."""
    own = {name.lower(): name for name in columns}

    def column(index: int) -> str:
        """The table's column whose last word stands at `index`, else empty."""
        if not 0 <= index < len(words) or words[index].lower() not in own:
            return ""
        qualified = index >= 2 and words[index - 1] == "."
        return own[words[index].lower()] if not qualified or words[index - 2].lower() == alias.lower() else ""

    equal: list[str] = []
    ranges: list[str] = []
    for index, word in enumerate(words):
        into = equal if word.upper() in ("=", "==", "IN", "IS") else ranges if word.upper() in (
            "<", ">", "<=", ">=", "BETWEEN") else None
        if into is not None and _in_condition(words, index):
            into += [name for name in (column(index - 1), column(_operand_end(words, index))) if name]
    return Asked(_once(equal), _once(ranges), tuple(_order(words, column)), tuple(_group(words, column)))


def _in_condition(words: list[str], index: int) -> bool:
    clause = next((word.upper() for word in reversed(words[:index])
                   if word.upper() in ("SELECT", "WHERE", "ON", "HAVING", "GROUP", "ORDER")), "")
    return clause in ("WHERE", "ON")


def _operand_end(words: list[str], index: int) -> int:
    """Where the last word of the operand after an operator stands: `b`, or `a.b`."""
    return index + 3 if index + 2 < len(words) and words[index + 2] == "." else index + 1


def _order(words: list[str], column: object) -> Iterator[Sorted]:
    for term, end in _terms(words, "ORDER"):
        name = column(end) if callable(column) else ""
        if not name:
            return  # an index helps a sort only up to the first term that it does not hold
        upper = [word.upper() for word in term]
        collation = term[upper.index("COLLATE") + 1] if "COLLATE" in upper[:-1] else ""
        yield Sorted(name, collation, "DESC" in upper)


def _group(words: list[str], column: object) -> Iterator[str]:
    for _, end in _terms(words, "GROUP"):
        name = column(end) if callable(column) else ""
        if not name:
            return
        yield name


def _terms(words: list[str], clause: str) -> Iterator[tuple[list[str], int]]:
    """The comma-separated terms of the last ORDER BY or GROUP BY, each with where its column name ends."""
    upper = [word.upper() for word in words]
    starts = [index + 2 for index in range(len(words) - 1) if upper[index] == clause and upper[index + 1] == "BY"]
    index = starts[-1] if starts else len(words)
    while index < len(words) and upper[index] not in _ENDS | {"ORDER"}:
        end = index
        while end < len(words) and words[end] != "," and upper[end] not in _ENDS | {"ORDER"}:
            end += 1
        name_end = index + 2 if index + 1 < end and words[index + 1] == "." else index
        simple = name_end + 1 >= end or upper[name_end + 1] in ("COLLATE", "ASC", "DESC", "NULLS")
        yield words[index:end], name_end if simple else -1
        index = end + 1


def _once(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
