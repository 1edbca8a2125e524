"""How many rows an answer shows, and what they differ in."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from aiimprove.answer import Answer
from aiimprove.finding import Json

LEAST = 5
"""Rows from which on a statement for each of them is told from a few statements."""
MOST_BESIDE = 1
"""Statements of the same kind that a page sends for something else."""
_ROW = re.compile(r"<((?:li|tr|article|section|div|h[2-4])(?:\s+class=[\"'][^\"']*[\"'])?)[\s>]", re.IGNORECASE)


def explained(answer: Answer, count: int) -> int:
    """The number of rows for which an answer took this many statements of one kind; 0 when they do not go with the
    rows. Of JSON: one at least for each row, or one for each different value that rows have somewhere, as an ORM asks
    once for each parent. Of a page: one or more for each of the elements that are written alike."""
    document = answer.json()
    return _of_page(answer.body.decode("utf-8", "replace"), count) if document is None else _of_json(document, count)


def _of_json(document: Json, count: int) -> int:
    for rows in sorted(_lists(document), key=len, reverse=True):
        if LEAST <= len(rows) <= count:
            return len(rows)
        if len(rows) > count >= LEAST and count in _different(rows):
            return len(rows)
    return 0


def _lists(node: Json) -> Iterator[list[Json]]:
    if isinstance(node, list):
        yield node
    for each in node.values() if isinstance(node, dict) else node[:1] if isinstance(node, list) else ():
        yield from _lists(each)


def _different(rows: list[Json]) -> set[int]:
    """How many different values there are below each key of the rows."""
    values: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for path, value in _leaves(row, ""):
            values[path].add(json.dumps(value))
    return {len(each) for each in values.values()}


def _leaves(node: Json, path: str) -> Iterator[tuple[str, Json]]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _leaves(value, f"{path}.{name}")
    elif node is not None and not isinstance(node, list):
        yield path, node


def _of_page(text: str, count: int) -> int:
    alike = sorted(Counter(_ROW.findall(text)).values(), reverse=True)
    return next((rows for rows in alike if LEAST <= rows <= count and count % rows <= MOST_BESIDE), 0)
