"""Recorded requests, sent one after the other to a fresh copy of a release on its own clone of the data."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from aiimprove.checks.facts import Facts, facts
from aiimprove.checks.touched import Watch
from aiimprove.probes import Dropped, Line
from aiimprove.proving import Copy, Stand, running_copy
from aiimprove.recording import Recorded, Traffic
from aiimprove.release import Release
from aiimprove.snapshot import clone

SECONDS, MOST_BYTES = 5.0, 256 * 1024
_TROUBLE = re.compile(r"(?i)\b(error|exception|traceback|warning|critical|fatal|unhandled)\b|\w(Error|Exception)\b")
_VARIES = re.compile(r"0x[0-9a-f]+|[\w/-]*\d[\w/-]*|'[^']*'|\"[^\"]*\"")


@dataclass(frozen=True)
class Played:
    """What came of the requests: the facts of each answer, the data afterwards and before, the kinds of log lines that
    speak of trouble, and the numbers of the requests that ran through what was watched."""

    answers: tuple[Facts, ...]
    data: Path
    before: Path
    trouble: frozenset[str]
    touched: frozenset[int] = frozenset()


def chosen(traffic: Traffic, services: Sequence[str], most: int) -> list[Recorded]:
    """The latest example of each shape first, then further ones while there is room; reads before writes, both in the
    order in which they were recorded."""
    known = [each for each in traffic.examples if each.service in services]
    by_shape: dict[str, list[Recorded]] = {}
    for each in reversed(known):
        by_shape.setdefault(each.shape, []).append(each)
    ranked = sorted(((place, id(each)) for rows in by_shape.values() for place, each in enumerate(rows)),
                    key=lambda row: row[0])
    wanted = {name for _, name in ranked[:most]}
    return sorted((each for each in known if id(each) in wanted), key=lambda each: each.writes)


def play(stand: Stand, release: Release, name: str, requests: Sequence[Recorded], seconds: float, *,
         photo: bool = False, watch: Watch | None = None) -> Played:
    """As many of them as `seconds` allow. Raises NotHealthy, MigrationFailed, Unreachable."""
    case, work = stand.case, stand.case.work / "replay" / name
    watch = watch or Watch()
    told = watch.env(work / "tracer") if watch.files else {}
    env = {name: told for name, service in case.config.services.items() if service.runtime != "node"}
    with running_copy(case.config, release, stand.data, work, case.box, env=env) as copy:
        if photo:
            clone(case.config, copy.data, work / "before")
        answers, touched = _answers(stand, copy, requests, seconds, watch)
    said = "\n".join(log.read_text("utf-8", "replace") for log in copy.logs.values() if log.exists())
    return Played(tuple(answers), copy.data, work / "before" if photo else stand.data, trouble(said),
                  frozenset(touched))


def trouble(log: str) -> frozenset[str]:
    """The kinds of lines that speak of trouble: numbers, names in quotes and paths left out."""
    return frozenset(_VARIES.sub("#", line.strip())[:200] for line in log.splitlines()
                     if _TROUBLE.search(line) and not line.lstrip().startswith('File "'))


def _answers(stand: Stand, copy: Copy, requests: Sequence[Recorded], seconds: float,
             watch: Watch) -> tuple[list[Facts], list[int]]:
    config, began, found, touched = stand.case.config, time.monotonic(), list[Facts](), list[int]()
    with ExitStack() as stack:
        lines = {name: stack.enter_context(Line(url, seconds=SECONDS, most=MOST_BYTES))
                 for name, url in copy.urls.items()}
        for each in requests:
            if time.monotonic() - began > seconds:
                break
            before = watch.hits(copy.data)
            found.append(_asked(lines[each.service], each, tuple(config.services[each.service].assets)))
            touched += [len(found) - 1] if watch.hits(copy.data) > before else []
    return found, touched


def _asked(line: Line, asked: Recorded, assets: Sequence[str]) -> Facts:
    coded = "gzip" if "gzip" in asked.headers.get("accept-encoding", "") else "identity"
    try:
        answer = line.send(asked.method, asked.uri, headers={**asked.headers, "accept-encoding": coded},
                           body=asked.body.encode("utf-8", "surrogatepass"))
    except Dropped:
        return facts(None)
    return facts(answer, assets)
