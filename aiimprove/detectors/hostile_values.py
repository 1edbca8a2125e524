"""Values that make a route crash although its own schema allows them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiimprove.detectors import Subject
from aiimprove.detectors.borders import border, one_sided
from aiimprove.detectors.keeping import kept
from aiimprove.detectors.openapi import Parameter, Route
from aiimprove.detectors.samples import key_of, request
from aiimprove.detectors.server_errors import length, raised_since
from aiimprove.detectors.visit import Visit, visit
from aiimprove.errors import AiimproveError
from aiimprove.finding import Finding, Json, Kind, Probe
from aiimprove.probes import replay

SECONDS = 300.0
CONFIRMATIONS = 3
INTEGERS = (-1, 0, 2 ** 31, 2 ** 63 - 1, 2 ** 63, 10 ** 20, -2 ** 31 - 1, -2 ** 63, -2 ** 63 - 1, -10 ** 20)
NUMBERS = (-1.0, 0.0, 1e20, -1e20, 1e308)
STRINGS = ("'", "\x00", "x" * 5000, "", "%", "1e20", "-1")
BODY_STRINGS = (*STRINGS, "\ud800")
LIKELY = (-1, 0, "", "'", "%", "-1", -1.0, 0.0)
"""What people type by chance; the rest is sent by scanners."""


class HostileValues:
    """One finding for each route and parameter that some value crashes.

    Writes and deletes on the copy, whose databases it puts back afterwards.
    """

    name = "hostile_values"

    def look(self, subject: Subject) -> Iterator[Finding]:
        for name, service in subject.config.services.items():
            if service.openapi and name in subject.copy.urls:
                with visit(subject, name) as each, kept(subject.copy.data) as restore:
                    trial = Trial(each, subject.copy.logs.get(name), subject.source, time.monotonic() + SECONDS)
                    found = list(trial.findings())
                    restore()
                yield from (finding for finding in found if _still_there(finding, subject))
                if trial.late():  # what was not tried is not gone: the caller must not think so
                    raise AiimproveError(f"not every value of {name} could be tried in {SECONDS:g} seconds")


def _still_there(finding: Finding, subject: Subject) -> bool:
    """Whether the finding shows on the data as it was before anything was tried."""
    return not replay(finding.probe, subject.copy.urls[finding.probe.service], subject.copy.data).passed


@dataclass(frozen=True)
class Trial:
    """The trying out of one service, until `ends` on the monotonic clock."""

    visit: Visit
    log: Path | None
    source: Path
    ends: float

    def late(self) -> bool:
        return time.monotonic() > self.ends

    def findings(self) -> Iterator[Finding]:
        for route in self.visit.routes:
            for parameter in route.parameters:
                if self.late():
                    return
                valid = self._valid(route, parameter)
                crashing = [value for value in hostile(parameter) if self._crashes(route, valid, parameter, value)] \
                    if valid is not None else []
                if valid is not None and crashing and self._confirmed(route, valid, parameter, crashing[0]):
                    yield self._finding(route, parameter, valid, crashing)

    def _valid(self, route: Route, parameter: Parameter) -> dict[str, Json] | None:
        """Values with which the route works; None when it cannot be had to work."""
        base = self.visit.samples.valid(route)
        for value in self.visit.samples.values(route, parameter)[:4]:
            if not request(route, base | {key_of(parameter): value}).crashes(self.visit.line):
                return base | {key_of(parameter): value}
        return None

    def _crashes(self, route: Route, valid: Mapping[str, Json], parameter: Parameter, value: Json) -> bool:
        return request(route, {**valid, key_of(parameter): value}).crashes(self.visit.line)

    def _confirmed(self, route: Route, valid: Mapping[str, Json], parameter: Parameter, value: Json) -> bool:
        """Crashing and passing in turns: neither a passing trouble of the machine nor lasting damage."""
        return all(self._crashes(route, valid, parameter, value)
                   and not request(route, valid).crashes(self.visit.line) for _ in range(CONFIRMATIONS))

    def _finding(self, route: Route, parameter: Parameter, valid: dict[str, Json], crashing: list[Json]) -> Finding:
        value = next((value for value in crashing if value in LIKELY), crashing[0])
        details = self._details(route, parameter, valid, crashing) | {"crash": self._signature(route, valid, parameter,
                                                                                              value)}
        integer = parameter.type == "integer"
        sent = request(route, {**valid, key_of(parameter): value})
        shown = f"{parameter.name}={_shown(value)}"
        return Finding("hostile_values", Kind.BUG, "integer-out-of-range" if integer else "hostile-value",
                       f"{self.visit.name} {route.name} {parameter.location}:{parameter.name}",
                       f"{route.name} crashes on {shown}",
                       f"A visitor who sends {shown} to {route.name} gets a server error"
                       f"{' (' + details['crash'] + ')' if details['crash'] else ''}; other values are answered well.",
                       Probe("http", self.visit.name, sent.to_json(), {"status_below": 500}),
                       _impact(route, crashing), details)

    def _details(self, route: Route, parameter: Parameter, valid: dict[str, Json],
                 crashing: list[Json]) -> dict[str, Json]:
        passing = [value for value in hostile(parameter) if value not in crashing]
        details: dict[str, Json] = {
            "service": self.visit.name, "method": route.method, "route": route.path, "operation": route.operation,
            "parameter": parameter.name, "location": parameter.location, "schema_pointer": parameter.pointer,
            "crashes": [_plain(value) for value in crashing], "passes": [_plain(value) for value in passing],
            "valid": request(route, valid).to_json(),
        }
        if parameter.type == "integer":
            details |= self._borders(route, parameter, valid, crashing, passing)
        return details

    def _borders(self, route: Route, parameter: Parameter, valid: dict[str, Json], crashing: list[Json],
                 passing: list[Json]) -> dict[str, Json]:
        """The stretch of values that pass, None where nothing crashes; with every other number at its largest."""
        known = [*passing, valid[key_of(parameter)]]
        if not one_sided(known, crashing):
            return {"lowest_ok": None, "highest_ok": None, "one_stretch": False}
        strained = valid | self._strain(route, parameter, valid)

        def fails(value: int) -> bool:
            return self._crashes(route, strained, parameter, value)

        start = valid[key_of(parameter)]
        below, above = [v for v in crashing if v < start], [v for v in crashing if v > start]
        return {"lowest_ok": border(start, min(below), fails) if below else None,
                "highest_ok": border(start, max(above), fails) if above else None, "one_stretch": True}

    def _strain(self, route: Route, parameter: Parameter, valid: Mapping[str, Json]) -> dict[str, Json]:
        """The largest allowed values of the other numbers, as they may multiply with this one."""
        largest = {key_of(other): other.schema["maximum"] for other in route.parameters
                   if other is not parameter and other.type == "integer" and "maximum" in other.schema}
        return {} if request(route, {**valid, **largest}).crashes(self.visit.line) else largest

    def _signature(self, route: Route, valid: Mapping[str, Json], parameter: Parameter, value: Json) -> str:
        """What the copy's log says about the crash; empty when it says nothing."""
        before = length(self.log)
        self._crashes(route, valid, parameter, value)
        found = raised_since(self.log, before, self.source, self.visit.service.folder)
        return found[-1].signature if found else ""


def hostile(parameter: Parameter) -> tuple[Json, ...]:
    """What is tried on a parameter of its type."""
    kinds: Mapping[str, tuple[Json, ...]] = {"integer": INTEGERS, "number": NUMBERS, "string": STRINGS}
    values = BODY_STRINGS if (parameter.type, parameter.location) == ("string", "body") else kinds.get(
        parameter.type, ())
    return tuple(value for value in values if value != "" or parameter.location != "path")


def _impact(route: Route, crashing: list[Json]) -> float:
    """Values that people send by chance hurt more than those of scanners, reading routes more than writing ones."""
    return (65.0 if any(value in LIKELY for value in crashing) else 40.0) - (10.0 if route.writes else 0.0)


def _shown(value: Json) -> str:
    text = ascii(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:20]}… ({len(value)} characters)"


def _plain(value: Json) -> Json:
    """A value as JSON that can be written down: a lone surrogate cannot, so strings are kept escaped and short."""
    return ascii(value)[:60] if isinstance(value, str) else value
