"""What looks at the running app: each detector yields findings, each finding with a probe that shows it.

A detector is a module below this package, named in DETECTORS and imported when it is asked for.
"""

from __future__ import annotations

import importlib
import logging
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from aiimprove.finding import Finding
from aiimprove.probes import recorded
from aiimprove.recording import NO_TRAFFIC, Traffic
from aiimprove.settings import Config

if TYPE_CHECKING:
    from aiimprove.proving import Copy

RECORDED = recorded.FOLDER
"""Where the SQL recorder writes, in the data of an instrumented copy."""
REPEATED = 0.75
"""What remains of the impact of a finding whose cause another one has that hurts more."""


@dataclass(frozen=True)
class Subject:
    """What detectors look at: a private running copy of live, the tree it was built from, and live's own logs.

    `source` is read only; `recorded` is the folder that `instrument` was given. What the recorder wrote stands in
    `copy.data / RECORDED`, as a service in its box can write nowhere else. `traffic` is what visitors asked lately.
    """

    config: Config
    copy: Copy
    source: Path
    live_logs: Mapping[str, Path]
    recorded: Path
    traffic: Traffic = NO_TRAFFIC


class Detector(Protocol):
    """Looks for one class of defects. May write to the copy's data: it is thrown away."""

    name: str

    def look(self, subject: Subject) -> Iterable[Finding]: ...


DETECTORS: Mapping[str, str] = {
    "slow_sql": "SlowSql",  # first: the recorder keeps few examples, and these shall come from its own requests
    "repeated_sql": "RepeatedSql",
    "server_errors": "ServerErrors",
    "compression": "Compression",
    "security_headers": "SecurityHeaders",
    "static_caching": "StaticCaching",
    "page_language": "PageLanguage",
    "empty_searches": "EmptySearches",
    "cookies": "Cookies",
    "event_loop": "EventLoop",
    "outgoing_timeouts": "OutgoingTimeouts",
    "sql_injection": "SqlInjection",
    "hostile_values": "HostileValues",  # last: its writes may leave the copy's data in any state
}


def load(name: str) -> Detector:
    """The detector of that name. KeyError when there is none."""
    module = importlib.import_module(f"aiimprove.detectors.{name}")
    detector: Detector = getattr(module, DETECTORS[name])()
    return detector


def look_all(subject: Subject, names: Sequence[str] = ()) -> tuple[list[Finding], list[str]]:
    """What the named detectors (all, when none is named) see, ranked, each cause once; and the detectors that failed.

    A detector that crashes is logged, and what it saw until then counts; the others still look.
    """
    found: dict[str, Finding] = {}
    failed: list[str] = []
    for name in DETECTORS:
        if name in set(names or DETECTORS):
            try:
                for finding in load(name).look(subject):
                    found.setdefault(finding.fingerprint, finding)
            except Exception:
                logging.getLogger(__name__).exception("detector.crashed %s", name)
                failed.append(name)
    return rank(each for each in found.values() if not _told_better(each, found.values())), failed


INSTRUMENTED = frozenset({"sql_injection", "repeated_sql"})
"""Detectors that see less, or no routes at all, of a copy that does not record."""
_OF_QUOTES = frozenset({ascii("'"), ascii("\x00")})
"""What a value in a statement crashes on when it is part of it; as it is written down."""


def _told_better(finding: Finding, others: Iterable[Finding]) -> bool:
    """Whether another detector knows more about a crash: its parameter and bounds, or that it is a hole."""
    return any(_same_hole(finding, other) for other in others) or _same_parameter(finding, others)


def _same_hole(finding: Finding, hole: Finding) -> bool:
    """Whether a quote crashed what the other finding says to be a hole in the same line or parameter."""
    known, told = hole.details, finding.details
    if hole.cause != "sql-injection" or finding.cause == hole.cause:
        return False
    crashed = {value for each in told.get("parameters", ()) for value in each["crashes"]}
    here = (told.get("route"), told.get("parameter")) == (known["route"], known["parameter"])
    same_crash = bool(known["crash"]) and told.get("crash") == known["crash"]
    return (crashed <= _OF_QUOTES) and (here if crashed and not same_crash else same_crash)


def _same_parameter(finding: Finding, others: Iterable[Finding]) -> bool:
    path = str(finding.probe.request.get("path", "")).partition("?")[0]
    return finding.detector == "server_errors" and any(
        other.detector == "hostile_values"
        and finding.details["crash"] in {each["crash"] for each in other.details["parameters"]}
        and ("line" in other.details
             or re.fullmatch(re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(other.details["route"])), path))
        for other in others)


def rank(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that hurt most first, equal ones in a stable order; the kinds of cause mixed.

    What has the cause of a finding that is ranked already counts a little less: a human who is shown a few at a time
    learns more from one of each. The discount is one and small, so that none ever gets clearly worse by it.
    """
    ranked: list[Finding] = []
    causes: set[str] = set()
    for finding in sorted(findings, key=lambda finding: (-finding.impact, finding.fingerprint)):
        ranked.append(replace(finding, impact=round(finding.impact * REPEATED, 1)) if finding.cause in causes
                      else finding)
        causes.add(finding.cause)
    return sorted(ranked, key=lambda finding: (-finding.impact, finding.fingerprint))


def url_map(service: str) -> str:
    """The file in RECORDED with the URL map of a service."""
    return f"routes-{service}.json"


def instrument(config: Config, folder: Path) -> Mapping[str, Mapping[str, str]]:
    """Environment for each Python service of a private copy that makes it record its SQL, and the URL map of a Flask or
    Django app, in {data}/RECORDED.

    The recorder is put into `folder`, so that a service in its box sees nothing else of ours.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in (Path(__file__).parent / "recorder").glob("*.py"):
        shutil.copy(file, folder)
    extra: dict[str, Mapping[str, str]] = {}
    for name, service in config.services.items():
        if service.runtime == "python":
            extra[name] = {"PYTHONPATH": str(folder), "AIIMPROVE_RECORD_SQL": RECORDED,
                           "AIIMPROVE_RECORD_ROUTES": f"{RECORDED}/{url_map(name)}"}
    return extra
