"""Mistakes in a migration: a statement left out, a column dropped from a list, another column, another order."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator

_LIST = re.compile(r"\(([^()]*)\)")
_WORDS = (("ASC", "DESC"), ("DESC", "ASC"), ("UNIQUE ", ""))


def mutated(text: str, lines: set[int]) -> Iterator[tuple[int, str, str]]:
    """Line, change and the whole text of each mutant on these lines."""
    for start, end in _statements(text):
        line = text.count("\n", 0, start) + 1
        if not lines & set(range(line, text.count("\n", 0, end) + 2)):
            continue
        statement = text[start:end]
        yield line, "is left out", text[:start] + text[end:]
        for change, made in (*_columns(statement), *_words(statement)):
            yield line, change, text[:start] + made + text[end:]


def _statements(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for end in (match.end() for match in re.finditer(";", text)):
        if sqlite3.complete_statement(text[start:end]):
            first = start + len(text[start:end]) - len(text[start:end].lstrip())
            yield first, end
            start = end
    if text[start:].strip():
        yield start + len(text[start:]) - len(text[start:].lstrip()), len(text)


def _columns(statement: str) -> Iterator[tuple[str, str]]:
    """Columns of the list that an index names, one of them gone or all of them turned round."""
    match = _LIST.search(statement) if re.match(r"\s*CREATE\s+(UNIQUE\s+)?INDEX", statement, re.IGNORECASE) else None
    columns = [each.strip() for each in match[1].split(",")] if match else []
    if match is None:
        return
    rows = [(f"drops column {each}", [*columns[:at], *columns[at + 1:]]) for at, each in enumerate(columns)]
    turned = [("turns the columns round", columns[::-1])] if len(columns) > 1 else []
    other = [(f"indexes another value of {each}", [*columns[:at], f"{each.split()[0]} || ''", *columns[at + 1:]])
             for at, each in enumerate(columns) if each]
    for change, named in (*(row for row in rows if row[1]), *turned, *other):
        yield change, statement[:match.start()] + f"({', '.join(named)})" + statement[match.end():]


def _words(statement: str) -> Iterator[tuple[str, str]]:
    for old, new in _WORDS:
        for match in re.finditer(rf"\b{old.strip()}\b{' ' if old.endswith(' ') else ''}", statement, re.IGNORECASE):
            yield f"{old.strip()} is {new or 'gone'}", statement[:match.start()] + new + statement[match.end():]
