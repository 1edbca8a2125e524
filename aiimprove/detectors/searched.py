"""What visitors searched for: as the app counts it, or as the gateway's log tells."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qs, quote, urlsplit

from aiimprove.detectors.visit import SEARCHES
from aiimprove.openapi import Route
from aiimprove.settings import Service

BLANK = "{query}"
_PERSONAL = re.compile(r"@|\d{6,}")
"""Addresses and long numbers are typed into search boxes by mistake, and are nobody's business."""


def templates(service: Service, routes: Iterable[Route]) -> list[str]:
    """Where searches are sent, with a blank for the words: as the config says, else as the routes look like."""
    if BLANK in service.search:
        return [service.search]
    return [f"{route.path}?{parameter.name}={BLANK}" for route in routes for parameter in route.parameters
            if not route.writes and parameter.location == "query" and parameter.name.lower() in SEARCHES
            and not any(other.required for other in route.parameters if other is not parameter)]


def filled(template: str, query: str) -> str:
    return template.replace(BLANK, quote(query, safe=""))


def from_log(text: str, template: str) -> Counter[str]:
    """How often each query was asked for, by the gateway's JSON log of live."""
    parts = urlsplit(template)
    name = next((key for key, values in parse_qs(parts.query).items() if BLANK in values), "")
    asked: Counter[str] = Counter()
    for uri in _uris(text):
        if name and uri.partition("?")[0] == parts.path:
            words = " ".join(parse_qs(uri.partition("?")[2]).get(name, [""])[0].split())
            if words and not _PERSONAL.search(words):
                asked[words] += 1
    return asked


def _uris(text: str) -> Iterator[str]:
    for row in text.splitlines():
        try:
            entry = json.loads(row)
            if entry.get("environment", "live") == "live" and entry["status"] == 200:
                yield str(entry["request"]["uri"])
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def whole(counted: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Without words that were on their way to longer ones: a search as you type asks for each of them."""
    rows = list(counted)
    words = [query.lower() for query, _ in rows]
    return [(query, count) for query, count in rows
            if not any(other != query.lower() and other.startswith(query.lower()) for other in words)]
