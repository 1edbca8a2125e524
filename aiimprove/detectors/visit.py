"""Going through a service of the running copy as its visitors do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiimprove.detectors import RECORDED, url_map
from aiimprove.detectors.listed import listed
from aiimprove.detectors.met import met
from aiimprove.launch import dependencies_folder
from aiimprove.openapi import Route, routes
from aiimprove.probes import Line
from aiimprove.samples import Request, Samples, harvest, key_of, request
from aiimprove.settings import Service

if TYPE_CHECKING:
    from aiimprove.detectors import Subject

VALUES_EACH = 6
SEARCHES = ("q", "query", "search", "term", "keyword", "text")
_LINKED = re.compile(rb"""(?:href|src)=["'](/[^/"'][^"']*\.(?:css|js|svg|json))["'?]""")


@dataclass(frozen=True)
class Visit:
    """An open line to one service, with its routes and values that they take."""

    name: str
    service: Service
    line: Line
    routes: list[Route]
    samples: Samples

    def tour(self) -> Iterator[Request]:
        """Every reading request worth making: smoke paths, each route, each of its optional values on its own."""
        paths = [*self.service.smoke, self.service.health]
        seen = set()
        for each in [*(Request("GET", path) for path in paths), *self._requests()]:
            if each not in seen:
                seen.add(each)
                yield each

    def _requests(self) -> Iterator[Request]:
        for route in self.routes:
            if route.writes:
                continue
            valid = self.samples.valid(route)
            yield request(route, valid)
            for parameter in route.parameters:
                values = self.samples.values(route, parameter)
                values = [True, False] if parameter.type == "boolean" else values
                values = self._words() if parameter.name.lower() in SEARCHES else values
                for value in values[:VALUES_EACH]:
                    yield request(route, valid | {key_of(parameter): value})

    def _words(self) -> list[str]:
        """Words that visitors might search for."""
        titles = [str(value) for key in ("title", "name") for value in self.samples.by_key.get(key, ())]
        return [word for title in titles for word in re.findall(r"\w{4,}", title)[:1]] or ["a"]

    def linked(self, page: bytes) -> list[str]:
        """Paths of the texts that a page of this service loads."""
        return sorted({path.decode(errors="replace") for path in _LINKED.findall(page)})


@contextmanager
def visit(subject: Subject, name: str) -> Iterator[Visit]:
    """Opens a line to a service of the copy. Raises Unreachable when nothing answers."""
    service = subject.config.services[name]
    with Line(subject.copy.urls[name]) as line:
        document = Request("GET", service.openapi).send(line) if service.openapi else None
        found = routes(document.json()) if document else []
        found = found or listed(subject.copy.data / RECORDED / url_map(name), subject.source / service.folder)
        found = found or met(subject.traffic, name)
        yield Visit(name, service, line, found, harvest(line, found))


def installed(subject: Subject, name: str, file: str) -> Path | None:
    """A file of the Python packages that a service of the copy runs with."""
    folder = dependencies_folder(subject.config, subject.copy.release, name)
    return next(folder.glob(f"lib/python3*/site-packages/{file}"), None) if folder else None
