"""Routes of apps that tell nobody about them: what visitors asked, as the recorder kept it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import parse_qsl, unquote

from aiimprove.finding import Json
from aiimprove.openapi import METHODS, Parameter, Route
from aiimprove.recording import Recorded, Traffic

_LONG = 24
_EXAMPLES = 4
_NUMBER = re.compile(r"-?\d{1,15}")
_KINDS: Mapping[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}
Place = tuple[str, str]
"""Where a value stands (path, query, body) and its name."""


def met(traffic: Traffic, service: str) -> list[Route]:
    """One route for each method and template of the paths that visitors asked for; reading ones first. A segment that
    looks like an id is a parameter; a query or a body counts as optional."""
    groups: dict[tuple[str, str], list[dict[Place, Json]]] = {}
    for each in traffic.examples:
        if each.service == service:
            template, values = _read(each)
            groups.setdefault((each.method, template), []).append(values)
    order = [method.upper() for method in METHODS]
    found = [Route(method, template, "", tuple(_parameters(seen))) for (method, template), seen in groups.items()
             if method in order]
    return sorted(found, key=lambda route: order.index(route.method))


def _read(request: Recorded) -> tuple[str, dict[Place, Json]]:
    """The template of a request's path, and every value that it brought."""
    path, _, query = request.uri.partition("?")
    segments, values = path.split("/"), dict[Place, Json]()
    for number, segment in enumerate(segments):
        if _is_id(segment):
            name = f"id{number}"
            values["path", name], segments[number] = _typed(unquote(segment)), "{" + name + "}"
    values |= {("query", name): _typed(value) for name, value in parse_qsl(query, keep_blank_values=True)}
    return "/".join(segments), values | {("body", name): value for name, value in _fields(request)}


def _is_id(segment: str) -> bool:
    """Whether it names a row: digits, something long with digits in it, or percent-encoded; not `v1` or a file."""
    if _NUMBER.fullmatch(segment) or "%" in segment:
        return True
    return "." not in segment and any(each.isdigit() for each in segment) and len(segment) >= _LONG


def _typed(text: str) -> Json:
    return int(text) if _NUMBER.fullmatch(text) else text


def _fields(request: Recorded) -> Iterator[tuple[str, Json]]:
    """The top-level fields of a JSON body that hold one value."""
    try:
        document = json.loads(request.body) if request.body else None
    except ValueError:
        return
    if isinstance(document, dict):
        yield from ((name, value) for name, value in document.items() if type(value) in _KINDS)


def _parameters(seen: Iterable[Mapping[Place, Json]]) -> Iterator[Parameter]:
    gathered: dict[Place, list[Json]] = {}
    for one in seen:
        for place, value in one.items():
            gathered.setdefault(place, []).append(value)
    for (location, name), values in gathered.items():
        kinds = {_KINDS[type(value)] for value in values}
        schema = {"type": kinds.pop() if len(kinds) == 1 else "string",
                  "examples": list(dict.fromkeys(values))[:_EXAMPLES]}
        yield Parameter(name, location, schema, location != "query", "")
