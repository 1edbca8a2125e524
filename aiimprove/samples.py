"""Values that a route takes, found in its schema and in what the list routes of the running copy answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from aiimprove.answer import Answer
from aiimprove.finding import Json
from aiimprove.openapi import Parameter, Route
from aiimprove.probes import Dropped, Line
from aiimprove.probes.bodies import content_type

KEPT = 8
NAMING_KEYS = ("id", "slug", "name", "key", "value", "title", "uuid")
_BY_TYPE: Mapping[str, Json] = {"integer": 1, "number": 1.0, "boolean": True, "array": [], "object": {}, "string": "a"}
_BY_FORMAT: Mapping[str, Json] = {"date": "2024-02-03", "date-time": "2024-02-03T04:05:06Z", "email": "a@example.org",
                                  "uuid": "00000000-0000-4000-8000-000000000000", "uri": "http://example.org/a"}


@dataclass(frozen=True)
class Request:
    """A request ready to send: `path` percent-encoded with its query, `body` JSON text, a form, or empty."""

    method: str
    path: str
    body: str = ""

    def send(self, line: Line, headers: Mapping[str, str] | None = None) -> Answer | None:
        """The answer; None when the app dropped the connection instead. Raises Unreachable."""
        sent = {"content-type": content_type(self.body.encode())} if self.body else {}
        try:
            return line.send(self.method, self.path, headers=sent | dict(headers or {}), body=self.body.encode())
        except Dropped:
            return None

    def crashes(self, line: Line) -> bool:
        answer = self.send(line)
        return answer is None or answer.status >= 500

    def to_json(self) -> dict[str, Json]:
        request = {"method": self.method, "path": self.path}
        return request | {"body": self.body} if self.body else request


def request(route: Route, values: Mapping[str, Json]) -> Request:
    """The request of a route with these values, keyed by `location:name`; nothing is sent for a missing one."""
    path, query, form, body = route.path, [], [], {}
    for parameter in route.parameters:
        if (key := key_of(parameter)) not in values:
            continue
        if parameter.location == "path":
            path = path.replace("{" + parameter.name + "}", quote(_text(values[key]), safe=""))
        elif parameter.location == "query":
            query.append((parameter.name, _text(values[key])))
        elif parameter.location == "form":
            form.append((parameter.name, _text(values[key])))
        else:
            body[parameter.name] = values[key]
    has_body = any(parameter.location == "body" for parameter in route.parameters)
    return Request(route.method, path + ("?" + urlencode(query, quote_via=quote) if query else ""),
                   urlencode(form) if form else json.dumps(body) if has_body else "")


def key_of(parameter: Parameter) -> str:
    return f"{parameter.location}:{parameter.name}"


def _text(value: Json) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass
class Samples:
    """What the list routes answered: values by the name of their key, and rows by the path of the list."""

    by_key: dict[str, list[Json]] = field(default_factory=dict)
    by_list: dict[str, list[Json]] = field(default_factory=dict)

    def learn(self, path: str, document: Json) -> None:
        """Takes note of the rows of one answer."""
        rows = next(_lists(document), [])
        self.by_list[path.rstrip("/")] = rows[:KEPT]
        for row in [document, *rows[:200]]:
            for name, value in row.items() if isinstance(row, dict) else ():
                for each in value[:3] if isinstance(value, list) else [value]:
                    self._keep(name, each)

    def _keep(self, name: str, value: Json) -> None:
        known = self.by_key.setdefault(name.lower(), [])
        if isinstance(value, (str, int, float)) and value not in known and len(known) < KEPT:
            known.append(value)

    def values(self, route: Route, parameter: Parameter) -> list[Json]:
        """Values that this parameter should take, the likeliest first; never empty."""
        schema = parameter.schema
        declared = [schema[word] for word in ("example", "default", "const") if schema.get(word) is not None]
        declared += [*schema.get("examples", ()), *schema.get("enum", ()), *_alternatives(schema)]
        observed = [value for value in self._observed(route, parameter) if _fits(value, parameter.type)]
        return _unique([*declared, *observed]) or [self._made(schema, parameter.name)]

    def _observed(self, route: Route, parameter: Parameter) -> Iterable[Json]:
        head = route.path.partition("{" + parameter.name + "}")[0].rstrip("/")
        if parameter.location == "path" and head in self.by_list:
            yield from _names(self.by_list[head], parameter.name)
        yield from self.by_key.get(parameter.name.lower(), ())
        stem = parameter.name.lower().removesuffix("_id")
        for path, rows in self.by_list.items():
            if _names_list(path, stem):
                yield from _names(rows, parameter.name)

    def _made(self, schema: Mapping[str, Json], name: str) -> Json:
        kind = schema.get("type", "string")
        if kind in ("integer", "number") and "minimum" in schema:
            return schema["minimum"]
        if kind == "string" and schema.get("format") in _BY_FORMAT:
            return _BY_FORMAT[schema["format"]]
        if kind == "string" and name.lower().endswith(("url", "uri", "link", "href")):
            return _BY_FORMAT["uri"]
        return "a" * schema["minLength"] if schema.get("minLength") else _BY_TYPE.get(kind, "a")

    def valid(self, route: Route) -> dict[str, Json]:
        """A value for everything the route must have."""
        return {key_of(each): self.values(route, each)[0] for each in route.parameters if each.required}


def harvest(line: Line, routes: Iterable[Route]) -> Samples:
    """Asks every reading route that needs nothing, and keeps what it answers. Raises Unreachable."""
    samples = Samples()
    for route in routes:
        if not route.writes and not any(parameter.required for parameter in route.parameters):
            answer = Request("GET", route.path).send(line)
            if answer and answer.status < 300:
                samples.learn(route.path, answer.json())
    return samples


def _lists(document: Json, depth: int = 0) -> Iterator[list[Json]]:
    """The lists in a document, outermost first."""
    if isinstance(document, list):
        yield document
    elif isinstance(document, dict) and depth < 3:
        for value in document.values():
            yield from _lists(value, depth + 1)


def _names(rows: Iterable[Json], wanted: str) -> Iterator[Json]:
    """What names each row of a list: the row itself, or the key that is most like a name for it."""
    for row in rows:
        if isinstance(row, dict):
            stem = wanted.rpartition("_")[2]
            yield from (row[key] for key in (wanted, stem, *NAMING_KEYS) if key in row)
        else:
            yield row


def _alternatives(schema: Mapping[str, Json]) -> list[str]:
    """The words of a pattern like ^(newest|oldest)$."""
    match = re.fullmatch(r"\^?\(?(\w+(?:\|\w+)+)\)?\$?", str(schema.get("pattern", "")))
    return match[1].split("|") if match else []


def _names_list(path: str, stem: str) -> bool:
    last = path.rpartition("/")[2].lower().replace("-", "_")
    return last in (stem + "s", stem + "es", stem.removesuffix("y") + "ies", stem)


def _fits(value: Json, kind: str) -> bool:
    kinds: Mapping[str, tuple[type, ...]] = {"integer": (int,), "number": (int, float), "boolean": (bool,),
                                             "string": (str,)}
    return isinstance(value, kinds.get(kind, (str, int, float))) and isinstance(value, bool) == (kind == "boolean")


def _unique(values: Iterable[Json]) -> list[Json]:
    return list({json.dumps(value, sort_keys=True, default=str): value for value in values}.values())
