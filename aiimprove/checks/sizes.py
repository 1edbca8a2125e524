"""Another size of what a request asks for: a gain at one size only may be none at the next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from aiimprove.openapi import Parameter, Route

NAMES = frozenset({"limit", "size", "pagesize", "perpage", "count", "first", "top", "take", "rows", "maxresults"})
USUAL = 20


def other_sizes(path: str, routes: Iterable[Route]) -> Iterator[str]:
    """The same request for twice as many, and for half as many, as far as the document allows it; nothing when its
    route takes no number that says how many."""
    asked = urlsplit(path)
    given = dict(parse_qsl(asked.query))
    for route in (each for each in routes if each.method == "GET" and _fits(each.path, asked.path)):
        for parameter in filter(_says_how_many, route.parameters):
            for number in _others(parameter, given.get(parameter.name, "")):
                yield f"{asked.path}?{urlencode({**given, parameter.name: number}, quote_via=quote)}"


def _fits(template: str, path: str) -> bool:
    return bool(re.fullmatch(re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(template)), path))


def _says_how_many(parameter: Parameter) -> bool:
    plain = parameter.name.lower().replace("_", "").replace("-", "")
    return parameter.location == "query" and parameter.type == "integer" and plain in NAMES


def _others(parameter: Parameter, given: str) -> Iterator[int]:
    schema = parameter.schema
    now = int(given) if given.isdigit() else int(schema.get("default") or USUAL)
    if now * 2 <= schema.get("maximum", now * 2):
        yield now * 2
    if max(1, schema.get("minimum", 1)) <= now // 2:
        yield now // 2

