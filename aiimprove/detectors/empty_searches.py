"""What visitors searched for and did not find."""

from __future__ import annotations

import math
from collections.abc import Iterator

from aiimprove.answer import at_pointer
from aiimprove.detectors import Subject
from aiimprove.detectors.searched import filled, from_log, templates, whole
from aiimprove.detectors.server_errors import GATEWAY, tail
from aiimprove.detectors.visit import visit
from aiimprove.finding import Finding, Json, Kind, Probe
from aiimprove.probes import Line
from aiimprove.samples import Request

NAMED = 10
TRIED = 100
_TOTALS = ("/total", "/count", "/total_count", "/meta/total", "/pagination/total", "/items", "/results", "/data", "")


class EmptySearches:
    """One finding for each search of a service that came back empty, most often for the words that it names."""

    name = "empty_searches"

    def look(self, subject: Subject) -> Iterator[Finding]:
        log = subject.live_logs.get(GATEWAY, subject.config.logs_folder / f"{GATEWAY}.log")
        for name, service in subject.config.services.items():
            if name not in subject.copy.urls:
                continue
            with visit(subject, name) as each:
                for template in templates(service, each.routes):
                    counted = _counted(each.line, service.empty_searches) if service.empty_searches else from_log(
                        tail(log), template).most_common(TRIED)
                    empty = [row for row in whole(counted) if _pointer(each.line, template, row[0]) is not None][:NAMED]
                    pointer = _pointer(each.line, template, empty[0][0]) if empty else None
                    if pointer is not None:
                        yield _finding(name, template, empty, pointer)


def _counted(line: Line, path: str) -> list[tuple[str, int]]:
    """The queries that the app has counted as empty, the most frequent first."""
    answer = Request("GET", path).send(line)
    document = answer.json() if answer and answer.status == 200 else None
    if isinstance(document, dict):
        document = next((value for value in document.values() if isinstance(value, list)), [])
    rows = document if isinstance(document, list) else []
    counted = [(str(row["query"]), int(row["count"])) for row in rows
               if isinstance(row, dict) and "query" in row and "count" in row]
    return sorted(counted, key=lambda row: (-row[1], row[0]))[:TRIED]


def _pointer(line: Line, search: str, query: str) -> str | None:
    """Where the answer of an empty search says that it found nothing; None when it found something."""
    answer = Request("GET", filled(search, query)).send(line)
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
    said = f"{total} searches found nothing, {count} of them for “{query}”" if count < total else (
        f"{'A search' if total == 1 else f'{total} searches'} for “{query}” found nothing")
    listed = ", ".join(f"“{words}” ({number})" for words, number in empty)
    details: dict[str, Json] = {"service": name, "queries": [{"query": q, "count": n} for q, n in empty]}
    return Finding("empty_searches", Kind.FEATURE, "empty-searches", f"{name} {search.partition('?')[0]}", said,
                   f"Visitors of {name} searched for things that it could not show: {listed}.",
                   Probe("http", name, {"method": "GET", "path": filled(search, query)},
                         {"json_total_at_least": {"pointer": pointer, "value": 1}}),
                   round(min(70.0, 10 * math.log2(1 + total)), 1), details)
