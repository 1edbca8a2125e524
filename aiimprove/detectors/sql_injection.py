"""Texts of visitors that become part of an SQL statement, instead of a value in it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from aiimprove.alike import alike
from aiimprove.answer import Answer
from aiimprove.detectors import RECORDED, Subject
from aiimprove.detectors.attacks import QUOTES, Attack, bare, broken, quoted, whole
from aiimprove.detectors.functions import lasting_name
from aiimprove.detectors.keeping import kept
from aiimprove.detectors.met import met
from aiimprove.detectors.sent import Sent, senders
from aiimprove.detectors.server_errors import raised_since, settled
from aiimprove.detectors.tracebacks import Crash
from aiimprove.detectors.values import UNKNOWN
from aiimprove.detectors.visit import Visit, visit
from aiimprove.errors import AiimproveError
from aiimprove.finding import Finding, Json, Kind, Probe
from aiimprove.openapi import Parameter, Route
from aiimprove.probes import replay
from aiimprove.samples import Request, key_of, request

CAUSE = "sql-injection"
SECONDS = 120.0
TIMES = 3
_COMPARED = ("GET", "POST")
"""What changes or deletes the rows that it finds is never asked with what is always true."""
_SYNTAX = re.compile(r"syntax error|unrecognized token|unterminated|error in your SQL", re.IGNORECASE)
_OWN_LANGUAGE = re.compile(r"fts\d|tsquery|json", re.IGNORECASE)
"""What has a language of its own inside of a value, with errors of its own."""


class SqlInjection:
    """One finding for each statement: a comparison that follows a quote is reckoned with, true and false told apart; or
    one quote breaks the statement and two do not; three times of three. Nothing is asked of live. Writes on the copy,
    whose databases it puts back afterwards.
    """

    name = "sql_injection"

    def look(self, subject: Subject) -> Iterator[Finding]:
        for name, service in subject.config.services.items():
            told = service.openapi or service.runtime == "python" or met(subject.traffic, name)
            if told and name in subject.copy.urls:
                with visit(subject, name) as each, kept(subject.copy.data) as restore:
                    trial = Trial(each, subject, time.monotonic() + SECONDS)
                    found = list(trial.holes())
                    restore()
                yield from _by_statement([each for each in found if _still_there(each.finding, subject)])
                if trial.late():
                    raise AiimproveError(f"not every text of {name} could be tried in {SECONDS:g} seconds")


def _still_there(finding: Finding, subject: Subject) -> bool:
    """Whether it shows on the data as it was before anything was tried."""
    return not replay(finding.probe, subject.copy.urls[finding.probe.service], subject.copy.data).passed


@dataclass(frozen=True)
class Hole:
    """A parameter that reaches a statement: what was sent, what it crashed with, and where the statement is sent."""

    route: Route
    parameter: Parameter
    finding: Finding
    place: tuple[str, int] | None


def _by_statement(found: list[Hole]) -> Iterator[Finding]:
    """One finding for each line that sends a statement; the request that shows most stands for it."""
    groups: dict[object, list[Hole]] = {}
    for each in found:
        groups.setdefault(each.place or each.route.name + each.parameter.name, []).append(each)
    for same in groups.values():
        best = max(same, key=lambda each: (each.finding.impact, not each.route.writes))
        yield replace(best.finding, details={**best.finding.details,
                                             "routes": sorted({each.route.name for each in same})})


@dataclass(frozen=True)
class Trial:
    """The trying out of one service, until `ends` on the monotonic clock."""

    visit: Visit
    subject: Subject
    ends: float

    def late(self) -> bool:
        return time.monotonic() > self.ends

    def holes(self) -> Iterator[Hole]:
        for route in self.visit.routes:
            for parameter in route.parameters:
                if parameter.type in ("string", "") and not self.late() and (found := self._hole(route, parameter)):
                    yield found

    def _hole(self, route: Route, parameter: Parameter) -> Hole | None:
        known = self.visit.samples.values(route, parameter)[0]
        asked = Asked(self.visit, route, parameter, self.visit.samples.valid(route))
        usable = [str(value) for value in (UNKNOWN, known) if asked.works(str(value))]
        for quote in QUOTES if usable else ():
            attacks = list(quoted(str(known), quote)) if route.method in _COMPARED else []
            if asked.differs(broken(usable[0], quote), whole(usable[0], quote)) or any(map(asked.reckons, attacks[:1])):
                attack = next((each for each in attacks if asked.reckons(each)), None)
                crash = self._crash(asked, usable[0], quote)
                if attack or (crash and quote == QUOTES[0] and _breaks(crash)):
                    return self._found(asked, attack, (usable[0], quote), crash)
        numbers = bare(str(known)) if route.method in _COMPARED else ()
        attack = next((each for each in numbers if asked.reckons(each)), None)
        return self._found(asked, attack, (str(known), ""), None) if attack else None

    def _crash(self, asked: Asked, plain: str, quote: str) -> Crash | None:
        """What the log says of a statement that is broken by a quote and whole with two, every time; else None."""
        seen: list[Crash | None] = []
        for _ in range(TIMES):
            before = settled(self._log)
            bad, good = asked.send(broken(plain, quote)), asked.send(whole(plain, quote))
            told = raised_since(self._log, before, self.subject.source, self.visit.service.folder) if _fails(bad) \
                else []
            seen.append(told[-1] if told and not _fails(good) else None)
        return seen[0] if all(seen) else None

    @property
    def _log(self) -> Path | None:
        return self.subject.copy.logs.get(self.visit.name)

    def _found(self, asked: Asked, attack: Attack | None, end: tuple[str, str], crash: Crash | None) -> Hole:
        root = self.subject.source / self.visit.service.folder
        sent = senders(self.subject.copy.data / RECORDED, attack.false if attack else "", root)
        line = Sent.of(crash) if crash else sent
        finding = _finding(asked, attack, broken(*end), crash, line)
        if line is None:
            return Hole(asked.route, asked.parameter, finding, None)
        name = lasting_name(root, line.file, line.function, line.line)
        finding = replace(finding, place=f"{self.visit.name}/{name} {asked.parameter.name}", details={
            **finding.details, "file": line.file, "function": line.function, "line": line.line})
        return Hole(asked.route, asked.parameter, finding, (line.file, line.line))


@dataclass(frozen=True)
class Asked:
    """A route that is asked with texts in one of its parameters, and what it must have besides."""

    visit: Visit
    route: Route
    parameter: Parameter
    valid: Mapping[str, Json]

    def request(self, text: str) -> Request:
        return request(self.route, {**self.valid, key_of(self.parameter): text})

    def send(self, text: str) -> Answer | None:
        return self.request(text).send(self.visit.line)

    def works(self, text: str) -> bool:
        return not _fails(self.send(text))

    def differs(self, one: str, other: str) -> bool:
        """Whether two texts are answered differently; both failing is no difference."""
        first, second = self.send(one), self.send(other)
        if first is None or second is None:
            return first is not second
        return not (_fails(first) and _fails(second)) and not alike(first, second, [one, other])

    def reckons(self, attack: Attack) -> bool:
        """Whether what is true and what is false are answered differently, and one of them as the plain text, every
        time."""
        return all(self._told_apart(attack) for _ in range(TIMES))

    def _told_apart(self, attack: Attack) -> bool:
        true, false = self.send(attack.true), self.send(attack.false)
        if true is None or false is None or _fails(true) or _fails(false) or alike(true, false, attack.said):
            return False
        plain = self.send(attack.plain)
        return plain is not None and (alike(true, plain, attack.said) or alike(false, plain, attack.said))


def _breaks(crash: Crash) -> bool:
    """Whether it is the statement that cannot be read."""
    return bool(_SYNTAX.search(crash.message)) and not _OWN_LANGUAGE.search(crash.message)


def _fails(answer: Answer | None) -> bool:
    return answer is None or answer.status >= 500


def _probe(asked: Asked, attack: Attack | None, end: str) -> Probe:
    """Two texts that have to be answered alike; one that must not fail, where the same text is answered in two ways."""
    pair = (attack.true, attack.false) if attack else (end, end + end[-1:])
    steady = attack is not None or not (asked.route.writes or asked.differs(pair[1], pair[1]))
    shown, expect = asked.request(pair[0]).to_json(), {"status_below": 500}
    if not steady:
        return Probe("http", asked.visit.name, shown, expect)
    said = attack.said if attack else [*pair, end[:-1]]
    return Probe("alike", asked.visit.name, {**shown, "other": asked.request(pair[1]).to_json(), "said": said}, expect)


def _finding(asked: Asked, attack: Attack | None, end: str, crash: Crash | None, line: Sent | None) -> Finding:
    route, parameter, service = asked.route, asked.parameter, asked.visit.name
    probe = _probe(asked, attack, end)
    does = "answers otherwise than" if attack else "breaks the statement, and is answered otherwise than"
    told = f" ({crash.signature})" if crash else ""
    against = ascii(attack.false) if attack else "the same with two quotes"
    return Finding(
        "sql_injection", Kind.SECURITY, CAUSE, f"{service} {route.name} {parameter.name}",
        f"Keep {parameter.name} of {route.name} out of the SQL itself",
        f"Whoever sends {attack.true if attack else end!a} as {parameter.name} to {route.name} {does} {against}"
        f"{told}: the text becomes part of the statement, and can ask for anything in the database.",
        probe, 90.0 if attack else 80.0,
        {"service": service, "method": route.method, "route": route.path, "operation": route.operation,
         "parameter": parameter.name, "location": parameter.location,
         "attack": attack.true if attack else end, "breaks": end if crash else "",
         "valid": asked.request(str(asked.visit.samples.values(route, parameter)[0])).to_json(),
         "crash": crash.signature if crash else "", "exception": crash.exception if crash else "",
         "message": crash.message if crash else "", "statement": line.sql if line else ""})
