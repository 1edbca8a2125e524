"""Exceptions that live's visitors ran into, reproduced on the copy."""

from __future__ import annotations

import json
import math
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from aiimprove.detectors import Subject
from aiimprove.detectors.functions import lasting_name
from aiimprove.detectors.tracebacks import Crash, crashes
from aiimprove.finding import Finding, Json, Kind, Probe
from aiimprove.probes import Line
from aiimprove.samples import Request

READ_BYTES = 8 * 1024 * 1024
TRIED = 40
LOG_LOOKS, LOG_PAUSE = 10, 0.05
GATEWAY = "gateway"


class ServerErrors:
    """One finding for each place in the app that raises; with a probe when a GET raises there again."""

    name = "server_errors"

    def look(self, subject: Subject) -> Iterator[Finding]:
        access = subject.live_logs.get(GATEWAY, subject.config.logs_folder / f"{GATEWAY}.log")
        gateway = list(_failed_requests(tail(access)))
        for name, service in subject.config.services.items():
            log = subject.live_logs.get(name)
            if log is None or name not in subject.copy.urls:
                continue
            found = list(crashes(tail(log), subject.source, service.folder))
            counts = Counter(crash.signature for crash in found)
            with Line(subject.copy.urls[name]) as line:
                for signature, count in counts.items():
                    same = [crash for crash in found if crash.signature == signature]
                    yield _finding(name, same[-1], subject.source / service.folder, count,
                                   _reproduced(subject, name, line, same, gateway))


def tail(log: Path, size: int = READ_BYTES) -> str:
    """The last bytes of a log as text; empty when there is no such file."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - size))
            return file.read(size).decode(errors="replace")
    except FileNotFoundError:
        return ""


def _failed_requests(text: str) -> Iterator[str]:
    """Paths of the GETs that the gateway's JSON log shows to have failed."""
    for row in text.splitlines():
        try:
            entry = json.loads(row)
            live = entry.get("environment", "live") == "live"
            failed = live and entry["status"] == 500 and entry["request"]["method"] == "GET"
            path = entry["request"]["uri"]
        except (ValueError, KeyError, TypeError):
            continue
        if failed and isinstance(path, str):
            yield path


def _reproduced(subject: Subject, name: str, line: Line, same: list[Crash], gateway: Iterable[str]) -> str:
    """A path that makes the copy raise the same at the same place; empty when none is known."""
    own = [crash.path for crash in same if crash.method == "GET"]
    log, folder = subject.copy.logs.get(name), subject.config.services[name].folder
    for path in list(dict.fromkeys([*own, *gateway]))[-TRIED:]:
        before = settled(log)
        if Request("GET", path).crashes(line):
            again = raised_since(log, before, subject.source, folder)
            if any(crash.signature == same[-1].signature for crash in again):
                return path
    return ""


def settled(log: Path | None) -> int:
    """Bytes in a log once nothing more is written to it, 0 when there is none.

    A server answers first and tells of the error then: without waiting, the last error is taken for the next one.
    """
    pause, size = threading.Event(), -1
    for _ in range(LOG_LOOKS):
        before, size = size, _length(log)
        if size == before or not log:
            break
        pause.wait(LOG_PAUSE)
    return size


def _length(log: Path | None) -> int:
    return log.stat().st_size if log and log.exists() else 0


def raised_since(log: Path | None, before: int, source: Path, folder: str) -> list[Crash]:
    """What a log has told since it was `before` bytes long; a server tells it a moment after it has answered."""
    pause = threading.Event()
    for _ in range(LOG_LOOKS):
        found = list(crashes(tail(log, max(0, _length(log) - before)), source, folder)) if log else []
        if found or log is None:
            return found
        pause.wait(LOG_PAUSE)
    return []


def _finding(name: str, crash: Crash, folder: Path, count: int, path: str) -> Finding:
    file, _, function = crash.place.partition(":")
    times = "once" if count == 1 else f"{count} times"
    shown = f"GET {path} shows it." if path else "No request that shows it again is known."
    request = Request("GET", path).to_json() if path else {}
    probe = Probe("http" if path else "none", name, request, {"status_below": 500})
    details: dict[str, Json] = {
        "service": name, "crash": crash.signature, "exception": crash.exception, "message": crash.message,
        "file": file, "function": function, "line": crash.line,
        "count": count, "reproduced": bool(path),
    }
    return Finding("server_errors", Kind.BUG, crash.exception,
                   f"{name}/{lasting_name(folder, file, function, crash.line)}",
                   f"{crash.exception} in {crash.place}, seen {times}",
                   f"Visitors of {name} met a server error {times}: {crash.exception} ({crash.message}). {shown}",
                   probe, round(min(95.0, 50 + 10 * math.log2(count)), 1), details)
