"""Routes that let every other visitor wait while they run."""

from __future__ import annotations

from collections.abc import Iterator

from aiimprove.detectors import Subject
from aiimprove.detectors.visit import Visit, visit
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.openapi import Route
from aiimprove.probes import replay
from aiimprove.samples import Request, request

LEAST_SECONDS = 0.2
MOST_SHARE = 0.6
"""Who waits for longer than this share of what is left of the other request waits for its end."""
TIMES_ALONE = 3.0
"""Who waits less than so many times what the same answer takes by itself may wait for the machine alone."""
TIMES = 3


class EventLoop:
    """One finding for each reading route of a Python service that takes a while, and during which the health address is
    not answered, three times of three. Handlers that are written `async def` and do not await do that."""

    name = "event_loop"

    def look(self, subject: Subject) -> Iterator[Finding]:
        for name, service in subject.config.services.items():
            if service.runtime == "python" and name in subject.copy.urls:
                with visit(subject, name) as each:
                    yield from _blocking(subject, each)


def _blocking(subject: Subject, each: Visit) -> Iterator[Finding]:
    for route in each.routes:
        asked = request(route, each.samples.valid(route)) if not route.writes else None
        answer = asked.send(each.line) if asked else None
        if asked and answer and answer.status < 400 and answer.seconds > LEAST_SECONDS:
            probe = Probe("beside", each.name, asked.to_json() | {"beside": each.service.health},
                          {"least_seconds": LEAST_SECONDS / 2, "at_most_share": MOST_SHARE,
                           "times_alone": TIMES_ALONE})
            seen = (replay(probe, subject.copy.urls[each.name], subject.copy.data) for _ in range(TIMES))
            if all(not once.passed for once in seen):
                yield _finding(each.name, route, asked, answer.seconds, probe)


def _finding(name: str, route: Route, asked: Request, seconds: float, probe: Probe) -> Finding:
    shown = f"{route.method} {route.path}"
    return Finding("event_loop", Kind.PERFORMANCE, "blocked-event-loop", f"{name} {shown}",
                   f"Let others be answered while {shown} runs",
                   f"{asked.path} takes {seconds * 1000:.0f} ms, and for as long {name} answers nobody else.", probe,
                   round(min(75.0, 30.0 + 45.0 * seconds), 1),
                   {"service": name, "method": route.method, "route": route.path, "operation": route.operation})
