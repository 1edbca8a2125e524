"""Routes that wait for another server for as long as it pleases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aiimprove.detectors import Subject
from aiimprove.detectors.functions import lasting_name
from aiimprove.detectors.keeping import kept
from aiimprove.detectors.outgoing import Code, Waiting, code
from aiimprove.detectors.visit import Visit, visit
from aiimprove.finding import LISTED, Finding, Json, Kind, Probe
from aiimprove.openapi import Route
from aiimprove.probes import MET, replay
from aiimprove.probes.stub import ADDRESS
from aiimprove.samples import Request, key_of, request

CAUSE = "no-timeout"
WITHIN_SECONDS = 12.0
"""A little more than the timeout that a fix may set."""
_MOST_TRIED = 6
"""Routes and parameters of one function that are tried: each may take that long."""


class OutgoingTimeouts:
    """One finding for each function that a route leads to, in which requests or urllib is called without a timeout. It
    is shown where a visitor's own words say which server is asked: with a server that takes the connection and stays
    silent. Where the address stands in the code or in the configuration nothing can be put in its place on a copy;
    then it is listed, without a probe.
    """

    name = "outgoing_timeouts"

    def look(self, subject: Subject) -> Iterator[Finding]:
        for name, service in subject.config.services.items():
            read = code(subject.source / service.folder) if service.runtime == "python" else None
            if read and read.waiting and name in subject.copy.urls:
                with visit(subject, name) as each, kept(subject.copy.data) as restore:
                    found = list(_found(subject, each, read))
                    restore()
                yield from found


@dataclass(frozen=True)
class Way:
    """A route that leads to what waits, and a request that names the stub in one of its parameters."""

    route: Route
    asked: Request


def _found(subject: Subject, each: Visit, read: Code) -> Iterator[Finding]:
    reached: dict[tuple[str, str], list[tuple[Route, Waiting]]] = {}
    for route in each.routes:
        for waiting in read.reached(route):
            reached.setdefault((waiting.file, waiting.function), []).append((route, waiting))
    for rows in reached.values():
        ways = [way for route in {route.name: route for route, _ in rows}.values() for way in _ways(each, route)]
        proven = next((way for way in ways[:_MOST_TRIED] if _hangs(subject, each.name, way)), None)
        yield _finding(subject, each, rows, proven)


def _ways(each: Visit, route: Route) -> Iterator[Way]:
    valid = each.samples.valid(route)
    for parameter in route.parameters:
        if parameter.type in ("string", "") and parameter.location != "path":
            yield Way(route, request(route, {**valid, key_of(parameter): ADDRESS}))


def _probe(service: str, way: Way) -> Probe:
    return Probe("hanging", service, way.asked.to_json(), {"within_seconds": WITHIN_SECONDS})


def _hangs(subject: Subject, service: str, way: Way) -> bool:
    seen = replay(_probe(service, way), subject.copy.urls[service], subject.copy.data)
    return not seen.passed and seen.observed.startswith(MET)


def _finding(subject: Subject, each: Visit, rows: list[tuple[Route, Waiting]], way: Way | None) -> Finding:
    route, waiting = rows[0] if way is None else next(row for row in rows if row[0] == way.route)
    root = subject.source / each.service.folder
    place = lasting_name(root, waiting.file, waiting.function, waiting.line)
    lines = sorted({(row.line, row.said) for _, row in rows})
    hidden = "which server is asked stands in the code or in the configuration, so that it cannot be shown on a copy"
    shown = f"A server that takes the connection and stays silent held {route.name} for more than " \
            f"{WITHIN_SECONDS:g} seconds." if way else f"W{hidden[1:]}."
    details: dict[str, Json] = {
        "service": each.name, "method": route.method, "route": route.path, "file": waiting.file,
        "function": waiting.function, "lines": [line for line, _ in lines], "calls": [said for _, said in lines],
        "routes": sorted({other.name for other, _ in rows})} | ({} if way else {LISTED: hidden})
    return Finding("outgoing_timeouts", Kind.BUG, CAUSE, f"{each.name}/{place}",
                   f"Do not wait for others for ever in {place}",
                   f"{', '.join(dict.fromkeys(said for _, said in lines))} in {place} has no timeout, and "
                   f"{route.name} waits for it. {shown}",
                   _probe(each.name, way) if way else Probe("none", each.name, {}, {}), 55.0 if way else 15.0, details)
