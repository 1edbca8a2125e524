"""What visitors searched for and did not find."""

from __future__ import annotations

import math
from collections.abc import Iterator
from urllib.parse import quote

from aiimprove.answer import at_pointer
from aiimprove.detectors import Subject
from aiimprove.detectors.samples import Request
from aiimprove.finding import Finding, Json, Kind, Probe
from aiimprove.probes import Line

NAMED = 10
_TOTALS = ("/total", "/count", "/total_count", "/meta/total", "/pagination/total", "/items", "/results", "/data", "")


class EmptySearches:
    """One finding for a service that keeps count of its empty searches."""

    name = "empty_searches"

    def look(self, subject: Subject) -> Iterator[Finding]:
        for name, service in subject.config.services.items():
            if service.empty_searches and "{query}" in service.search and name in subject.copy.urls:
                with Line(subject.copy.urls[name]) as line:
                    searched = _searched(line, service.empty_searches)
                    empty = [row for row in searched if _pointer(line, service.search, row[0]) is not None]
                    pointer = _pointer(line, service.search, empty[0][0]) if empty else None
                if pointer is not None:
                    yield _finding(name, service.search, empty, pointer)


def _searched(line: Line, path: str) -> list[tuple[str, int]]:
    """The queries that were counted as empty, the most frequent first."""
    answer = Request("GET", path).send(line)
    document = answer.json() if answer and answer.status == 200 else None
    if isinstance(document, dict):
        document = next((value for value in document.values() if isinstance(value, list)), [])
    rows = document if isinstance(document, list) else []
    counted = [(str(row["query"]), int(row["count"])) for row in rows
               if isinstance(row, dict) and "query" in row and "count" in row]
    return sorted(counted, key=lambda row: (-row[1], row[0]))[:NAMED]


def _pointer(line: Line, search: str, query: str) -> str | None:
    """Where the answer of an empty search says that it found nothing; None when it found something."""
    answer = Request("GET", search.replace("{query}", quote(query, safe=""))).send(line)
    document = answer.json() if answer and answer.status == 200 else None
    for pointer in _TOTALS:
        found = at_pointer(document, pointer)
        if found == 0 or found == []:
            return pointer
        if isinstance(found, (int, list)) and found:
            return None
    return None


def _finding(name: str, search: str, empty: list[tuple[str, int]], pointer: str) -> Finding:
    query, count = empty[0]
    total = sum(number for _, number in empty)
    listed = ", ".join(f"“{words}” ({number})" for words, number in empty)
    details: dict[str, Json] = {"service": name, "queries": [{"query": q, "count": n} for q, n in empty]}
    return Finding("empty_searches", Kind.FEATURE, "empty-searches", name,
                   f"{total} searches found nothing, {count} of them for “{query}”",
                   f"Visitors of {name} searched for things that it could not show: {listed}.",
                   Probe("http", name, {"method": "GET", "path": search.replace("{query}", quote(query, safe=""))},
                         {"json_total_at_least": {"pointer": pointer, "value": 1}}),
                   round(min(70.0, 10 * math.log2(1 + total)), 1), details)
