"""Values that make a route crash although its own schema allows them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from aiimprove.detectors import Subject
from aiimprove.detectors.borders import border, one_sided
from aiimprove.detectors.causes import LOOKUP, NAMED, OTHER, RANGE, Told, cause_of, grouped
from aiimprove.detectors.filling import filled
from aiimprove.detectors.functions import lasting_name
from aiimprove.detectors.keeping import kept
from aiimprove.detectors.met import met
from aiimprove.detectors.ranges import is_limit
from aiimprove.detectors.server_errors import raised_since, settled
from aiimprove.detectors.tracebacks import Crash
from aiimprove.detectors.values import LIKELY, MANY, UNKNOWN, USUAL, all_in_words, hostile, plain, worst
from aiimprove.detectors.visit import Visit, visit
from aiimprove.errors import AiimproveError
from aiimprove.finding import Finding, Json, Kind, Probe
from aiimprove.openapi import Parameter, Route
from aiimprove.probes import replay
from aiimprove.samples import Request, key_of, request

SECONDS = 300.0
CONFIRMATIONS = 3


class HostileValues:
    """One finding for each route whose numbers have no bounds, and one for each other cause at its place in the code.

    Writes and deletes on the copy, whose databases it puts back afterwards.
    """

    name = "hostile_values"

    def look(self, subject: Subject) -> Iterator[Finding]:
        for name, service in subject.config.services.items():
            told = service.openapi or service.runtime == "python" or met(subject.traffic, name)
            if told and name in subject.copy.urls:
                with visit(subject, name) as each, kept(subject.copy.data) as restore:
                    trial = Trial(filled(each), subject.copy.logs.get(name), subject.source, time.monotonic() + SECONDS)
                    found = list(trial.findings())
                    restore()
                yield from _with_siblings([finding for finding in found if _still_there(finding, subject)])
                if trial.late():  # what was not tried is not gone: the caller must not think so
                    raise AiimproveError(f"not every value of {name} could be tried in {SECONDS:g} seconds")


def _still_there(finding: Finding, subject: Subject) -> bool:
    """Whether the finding shows on the data as it was before anything was tried."""
    return not replay(finding.probe, subject.copy.urls[finding.probe.service], subject.copy.data).passed


def _with_siblings(found: list[Finding]) -> Iterator[Finding]:
    """Each finding with the parameters of the same name that crash elsewhere: they may be declared in one place."""
    places = [(f"{each.details['method']} {each.details['route']}", parameter["parameter"]) for each in found
              if each.cause == RANGE for parameter in each.details["parameters"]]
    for each in found:
        names = {parameter["parameter"] for parameter in each.details["parameters"]}
        siblings = [list(place) for place in places if place[1] in names]
        yield replace(each, details={**each.details, "siblings": siblings}) if each.cause == RANGE else each


@dataclass(frozen=True)
class Crashing:
    """A parameter that some values crash, the values with which its route works, and what an author must know."""

    parameter: Parameter
    values: list[Json]
    cause: str
    raised: Crash | None
    details: Mapping[str, Json]

    @property
    def line(self) -> object:
        """The line of the app's code that crashed; a thing of its own when that is not known."""
        return (self.raised.place, self.raised.line) if self.raised else id(self)

    @property
    def impact(self) -> float:
        """Values that people send by chance hurt more than those of scanners."""
        return 65.0 if any(value in LIKELY for value in self.values) else 40.0


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
        named: dict[object, list[tuple[Route, Crashing]]] = {}
        for route in self.visit.routes:
            crashing = [found for parameter in route.parameters if not self.late()
                        for found in self._crashing(route, parameter)]
            for each in crashing:
                if each.cause in NAMED:
                    named.setdefault(each.line, []).append((route, each))
            for cause in (RANGE, OTHER):
                if same := [each for each in crashing if each.cause == cause and each.line not in named]:
                    yield self._finding(route, cause, sorted(same, key=lambda each: -each.impact))
        for places in named.values():
            yield self._at_a_line(places)

    def _crashing(self, route: Route, parameter: Parameter) -> list[Crashing]:
        valid = self._valid(route, parameter)
        if valid is None:
            return self._never_there(route, parameter) if len(route.parameters) == 1 else []
        values = [value for value in hostile(parameter) if self._crashes(route, valid, parameter, value)]
        told = [(value, self._raised(route, valid, parameter, value)) for value in values]
        return [self._group(route, parameter, valid, cause, alike) for cause, alike in grouped(parameter, told)
                if self._confirmed(route, valid, parameter, alike[0][0])]

    def _never_there(self, route: Route, parameter: Parameter) -> list[Crashing]:
        """A lookup that fails, where nobody knows a value by which it would not: of a route with no other parameter."""
        asked: dict[str, Json] = {key_of(parameter): UNKNOWN if parameter.type == "string" else MANY}
        if not all(request(route, asked).crashes(self.visit.line) for _ in range(CONFIRMATIONS)):
            return []
        value = asked[key_of(parameter)]
        told = grouped(parameter, [(value, self._raised(route, asked, parameter, value))])
        return [self._group(route, parameter, asked, cause, alike) for cause, alike in told if cause == LOOKUP]

    def _group(self, route: Route, parameter: Parameter, valid: dict[str, Json], cause: str,
               told: list[Told]) -> Crashing:
        """What crashes alike. Numbers that crash without another cause may be numbers beyond a border."""
        values = [value for value, _ in told]
        crash = next((crash for value, crash in told if value == worst(values)), None)
        details = self._details(route, parameter, valid, values, bordered=not cause)
        cause = cause or (RANGE if details.get("one_stretch") else cause_of(values[0], parameter.location, crash))
        return Crashing(parameter, values, cause, crash, details | {"crash": crash.signature if crash else ""})

    def _valid(self, route: Route, parameter: Parameter) -> dict[str, Json] | None:
        """Values with which the route works; None when it cannot be had to work."""
        base = self.visit.samples.valid(route)
        known = self.visit.samples.values(route, parameter)[:4]
        for value in [*known, *(USUAL if parameter.type == "string" else ())]:
            if not request(route, base | {key_of(parameter): value}).crashes(self.visit.line):
                return base | {key_of(parameter): value}
        return None

    def _crashes(self, route: Route, valid: Mapping[str, Json], parameter: Parameter, value: Json) -> bool:
        return request(route, {**valid, key_of(parameter): value}).crashes(self.visit.line)

    def _confirmed(self, route: Route, valid: Mapping[str, Json], parameter: Parameter, value: Json) -> bool:
        """Crashing and passing in turns: neither a passing trouble of the machine nor lasting damage."""
        return all(self._crashes(route, valid, parameter, value)
                   and not request(route, valid).crashes(self.visit.line) for _ in range(CONFIRMATIONS))

    def _finding(self, route: Route, cause: str, crashing: list[Crashing]) -> Finding:
        first, service = crashing[0], self.visit.name
        told = first.details["crash"]
        sent = [each.details["crashing"] for each in crashing]
        values = [(each.parameter.name, worst(each.values)) for each in crashing]
        details = {"service": service, "method": route.method, "route": route.path, "operation": route.operation,
                   **first.details, "parameters": [dict(each.details) for each in crashing]}
        asked = {**sent[0], "also": sent[1:]} if len(sent) > 1 else sent[0]
        said = all_in_words(values)
        return Finding("hostile_values", Kind.BUG, cause, f"{service} {route.name}", f"{route.name} crashes on {said}",
                       f"A visitor who sends {said} to {route.name} gets a server error"
                       f"{f' ({told})' if told else ''}: {'; '.join(_tried(each) for each in crashing)}.",
                       Probe("http", service, asked, {"status_below": 500}),
                       max(each.impact for each in crashing) - (10.0 if route.writes else 0.0), details)

    def _at_a_line(self, met: list[tuple[Route, Crashing]]) -> Finding:
        """The finding of a line of the code, from the request that hurts most of those that crash there."""
        route, each = max(met, key=lambda found: (found[1].impact, not found[0].writes))
        found, crash = self._finding(route, each.cause, [each]), each.raised
        assert crash is not None
        file, _, function = crash.place.partition(":")
        place = lasting_name(self.source / self.visit.service.folder, file, function, crash.line)
        return replace(found, place=f"{self.visit.name}/{place} {each.parameter.name}", details={
            **found.details, "file": file, "function": function, "line": crash.line, "exception": crash.exception,
            "message": crash.message, "routes": sorted({other.name for other, _ in met})})

    def _details(self, route: Route, parameter: Parameter, valid: dict[str, Json],
                 crashing: list[Json], bordered: bool) -> dict[str, Json]:
        passing = [value for value in hostile(parameter) if value not in crashing]
        details: dict[str, Json] = {
            "parameter": parameter.name, "location": parameter.location, "schema_pointer": parameter.pointer,
            "crashes": [plain(value) for value in crashing], "passes": [plain(value) for value in passing],
            "valid": request(route, valid).to_json(),
            "crashing": request(route, {**valid, key_of(parameter): worst(crashing)}).to_json(),
        }
        if parameter.type == "integer" and bordered and all(isinstance(value, int) for value in crashing):
            numbers = [value for value in passing if isinstance(value, int)]
            details |= self._borders(route, parameter, valid, crashing, numbers)
        return details

    def _borders(self, route: Route, parameter: Parameter, valid: dict[str, Json], crashing: list[Json],
                 passing: list[Json]) -> dict[str, Json]:
        """The stretch of values that pass, None where nothing crashes; with every other number at its largest."""
        nothing = {"lowest_ok": None, "highest_ok": None, "one_stretch": False}
        if not one_sided([*passing, valid[key_of(parameter)]], crashing):
            return nothing
        strained = valid | self._strain(route, parameter, valid)

        def fails(value: int) -> bool:
            return self._crashes(route, strained, parameter, value)

        start = valid[key_of(parameter)]
        below, above = [v for v in crashing if v < start], [v for v in crashing if v > start]
        lowest = border(start, min(below), fails) if below else None
        highest = border(start, max(above), fails) if above else None
        limits = all(value is None or is_limit(value, self._raised(route, strained, parameter, value + step))
                     for value, step in ((lowest, -1), (highest, 1)))
        edges = [self._edge(request(route, {**strained, key_of(parameter): value}),
                            request(route, {**strained, key_of(parameter): value + step}))
                 for value, step in ((lowest, -1), (highest, 1)) if value is not None]
        found = {"lowest_ok": lowest, "highest_ok": highest, "one_stretch": True, "edges": edges}
        return found if limits else nothing

    def _edge(self, within: Request, beyond: Request) -> dict[str, Json]:
        """A border as requests on either side of it, and whether the app takes the one within."""
        answer = within.send(self.visit.line)
        return {"passes": within.to_json(), "crashes": beyond.to_json(),
                "accepted": answer is not None and answer.status not in (400, 422)}

    def _strain(self, route: Route, parameter: Parameter, valid: Mapping[str, Json]) -> dict[str, Json]:
        """The largest allowed values of the other numbers, as they may multiply with this one."""
        largest = {key_of(other): other.schema["maximum"] for other in route.parameters
                   if other is not parameter and other.type == "integer" and "maximum" in other.schema}
        return {} if request(route, {**valid, **largest}).crashes(self.visit.line) else largest

    def _raised(self, route: Route, valid: Mapping[str, Json], parameter: Parameter, value: Json) -> Crash | None:
        """What the copy's log says about the crash; None when it says nothing."""
        before = settled(self.log)
        self._crashes(route, valid, parameter, value)
        found = raised_since(self.log, before, self.source, self.visit.service.folder)
        return found[-1] if found else None


def _tried(each: Crashing) -> str:
    """Which of the values that were tried crash."""
    shown = ", ".join(str(value) for value in map(plain, each.values[:3]))
    return f"{each.parameter.name} = {shown}{' and others' if len(each.values) > 3 else ''}"
