"""Every configured health, ready and smoke address of every service: as good as before, and never an error."""

from __future__ import annotations

from collections.abc import Iterator

from aiimprove.evidence import Check, Measurement, Verdict
from aiimprove.probes import Dropped, get
from aiimprove.proving import Copy, Stand
from aiimprove.settings import Config

NAME = "smoke"
NO_ANSWER = 0


def addresses(config: Config) -> Iterator[tuple[str, str]]:
    """Service and path of everything that must answer."""
    for name, service in config.services.items():
        for path in dict.fromkeys(filter(None, (service.health, service.ready, *service.smoke))):
            if service.start:
                yield name, path


def run(stand: Stand) -> Check:
    seen = {where: (_status(stand.baseline, *where), _status(stand.candidate, *where))
            for where in addresses(stand.case.config)}
    bad = [f"{name} {path} answers {_words(after)} (live: {_words(before)})"
           for (name, path), (before, after) in seen.items() if _worse(before, after)]
    measured = tuple(Measurement(f"{name} {path}", before, after, "status")
                     for (name, path), (before, after) in seen.items())
    if bad:
        return Check(NAME, Verdict.FAILED, "; ".join(bad), measured)
    return Check(NAME, Verdict.PASSED, f"all {len(seen)} addresses answer", measured)


def answers(copy: Copy, config: Config) -> list[str]:
    """What is wrong with the answers of one copy alone; empty when nothing is."""
    seen = {where: _status(copy, *where) for where in addresses(config) if where[0] in copy.urls}
    return [f"{name} {path} answers {_words(status)}" for (name, path), status in seen.items() if not _good(status)]


def _status(copy: Copy, name: str, path: str) -> int:
    try:
        return get(copy.urls[name] + path).status
    except Dropped:
        return NO_ANSWER


def _worse(before: int, after: int) -> bool:
    return not _good(after) or before < 300 <= after


def _good(status: int) -> bool:
    return NO_ANSWER < status < 400


def _words(status: int) -> str:
    return str(status) if status != NO_ANSWER else "nothing"
