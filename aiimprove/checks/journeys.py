"""What visitors do with a running copy: writes and reads, made from its OpenAPI document and from the config."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice

from aiimprove.finding import Json
from aiimprove.openapi import Route, routes
from aiimprove.probes import Line
from aiimprove.proving import Copy
from aiimprove.samples import Request, Samples, harvest, key_of, request
from aiimprove.settings import Config

SECONDS = 5.0
"""An answer later than this counts as none."""
MOST = 60
"""Routes of a service that are tried at most, in each way."""
VALUES = 4
NO_ANSWER = 0


@dataclass
class Written:
    """The writes of one visit: each request's name and status, and what the service said that it had written."""

    answers: list[tuple[str, int]] = field(default_factory=list)
    rows: dict[str, dict[str, list[Json]]] = field(default_factory=dict)

    @property
    def succeeded(self) -> int:
        return sum(1 for _, status in self.answers if well(status))

    def broken(self) -> set[str]:
        return {name for name, status in self.answers if not NO_ANSWER < status < 500}


def well(status: int) -> bool:
    return 200 <= status < 300


class Visitor:
    """Somebody who knows the interface of one running copy. Raises Unreachable when nothing answers there."""

    def __init__(self, config: Config, copy: Copy) -> None:
        self._config, self._stack = config, ExitStack()
        self._lines = {name: self._stack.enter_context(Line(url, seconds=SECONDS)) for name, url in copy.urls.items()}
        self._routes = {name: self._document(name) for name in self._lines}

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self) -> Written:
        """Everything that creates or changes, twice where a body may hold more than it must; nothing is deleted."""
        written = Written()
        for name, line in self._lines.items():
            for asked, path in self._writes(name, written):
                answer = asked.send(line)
                written.answers.append((f"{name} {asked.method} {path}", answer.status if answer else NO_ANSWER))
                if answer and well(answer.status) and isinstance(answer.json(), dict):
                    written.rows.setdefault(name, {}).setdefault(path.rstrip("/"), []).append(answer.json())
        return written

    def read(self, written: Written, wanted: Collection[str] = ()) -> dict[str, list[int]]:
        """How reads end, by name: every list, and some items of each kind, of `written` above all. Only the `wanted`
        ones, when any are named."""
        found: dict[str, list[int]] = {}
        for name, line in self._lines.items():
            for asked, path in self._reads(name, written):
                known = f"{name} GET {path}"
                if not wanted or known in wanted:
                    answer = asked.send(line)
                    found.setdefault(known, []).append(answer.status if answer else NO_ANSWER)
        return found

    def _document(self, name: str) -> list[Route]:
        path = self._config.services[name].openapi
        answer = Request("GET", path).send(self._lines[name]) if path else None
        return routes(answer.json()) if answer and well(answer.status) else []

    def _writes(self, name: str, written: Written) -> Iterator[tuple[Request, str]]:
        """One after the other, so that later ones may use what earlier ones have made."""
        ways = [route for route in self._routes[name] if route.method in ("POST", "PUT", "PATCH")]
        known = self._samples(name)
        for route in ways[:MOST]:
            samples = _with(known, written.rows.get(name, {}))
            least = samples.valid(route)
            full = least | {key_of(each): samples.values(route, each)[0] for each in route.parameters
                            if each.location == "body"}
            bodies = [least, full] if full != least else [least]
            yield from ((request(route, values), route.path) for values in bodies)
        yield from ((asked, asked.path) for asked in self._journeys(name) if asked.method != "GET")

    def _reads(self, name: str, written: Written) -> Iterator[tuple[Request, str]]:
        samples = _with(self._samples(name), written.rows.get(name, {}))
        reading = [route for route in self._routes[name] if not route.writes]
        for route in reading[:MOST]:
            yield from ((asked, route.path) for asked in _of_items(route, samples))
        yield from ((asked, asked.path) for asked in self._journeys(name) if asked.method == "GET")

    def _samples(self, name: str) -> Samples:
        return harvest(self._lines[name], self._routes[name][:MOST])

    def _journeys(self, name: str) -> Iterator[Request]:
        for words in self._config.services[name].journeys:
            method, path, body = (*words.split(None, 2), "")[:3]
            yield Request(method.upper(), path, body)


def _with(known: Samples, made: Mapping[str, list[Json]]) -> Samples:
    """The same with what was made just now in front."""
    lists = {path: [*reversed(rows), *known.by_list.get(path, ())] for path, rows in made.items()}
    return Samples(known.by_key, known.by_list | lists)


def _of_items(route: Route, samples: Samples) -> Iterator[Request]:
    """The list itself, or some items."""
    least: Mapping[str, Json] = samples.valid(route)
    named = next((each for each in route.parameters if each.required), None)
    values = [None] if named is None else islice(samples.values(route, named), VALUES)
    for value in values:
        yield request(route, {**least, **({key_of(named): value} if named else {})})
