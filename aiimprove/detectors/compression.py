"""Texts that are sent at full length although the visitor takes them compressed."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator

from aiimprove.answer import Answer
from aiimprove.detectors import Subject
from aiimprove.detectors.visit import Visit, installed, visit
from aiimprove.finding import Finding, Json, Kind, Probe
from aiimprove.samples import Request

LEAST_BYTES = 1400
"""What fits one packet anyway is not worth compressing."""
LEAST_SAVING = 0.3
LINKED_FILES = 8
_TEXTS = ("text/", "application/json", "application/javascript", "application/xml", "image/svg", "+json", "+xml")


class Compression:
    """One finding for a service: what it sends could be so much smaller."""

    name = "compression"

    def look(self, subject: Subject) -> Iterator[Finding]:
        for name in subject.copy.urls:
            with visit(subject, name) as each:
                plain = _plain(each)
            if plain:
                yield _finding(subject, name, plain)


def _plain(each: Visit) -> dict[str, tuple[int, int]]:
    """Path → bytes sent and bytes needed, of every text that came without compression."""
    found: dict[str, tuple[int, int]] = {}
    seen: set[str] = set()
    for request in each.tour():
        answer = request.send(each.line, {"accept-encoding": "gzip"})
        if request.path not in seen and answer:
            seen.add(request.path)
            found |= _compared(request.path, answer)
            for path in each.linked(answer.body)[:LINKED_FILES] if _is_text(answer, "text/html") else ():
                file = Request("GET", path).send(each.line, {"accept-encoding": "gzip"})
                found |= _compared(path, file) if file else {}
    return found


def _compared(path: str, answer: Answer) -> dict[str, tuple[int, int]]:
    size = len(answer.raw)
    if answer.status != 200 or size <= LEAST_BYTES or not _is_text(answer, *_TEXTS):
        return {}
    if "content-encoding" in answer.headers or "no-transform" in answer.headers.get("cache-control", ""):
        return {}
    needed = len(zlib.compress(answer.raw, 1))
    return {path: (size, needed)} if needed < size * (1 - LEAST_SAVING) else {}


def _is_text(answer: Answer, *kinds: str) -> bool:
    media = answer.headers.get("content-type", "").partition(";")[0].lower()
    return media != "text/event-stream" and any(kind in media for kind in kinds)


def _finding(subject: Subject, name: str, plain: dict[str, tuple[int, int]]) -> Finding:
    path, (size, needed) = max(plain.items(), key=lambda row: (row[1][0] - row[1][1], row[0]))
    saved = sum(size - needed for size, needed in plain.values())
    summary = (f"{len(plain)} answers of {name} are sent uncompressed to visitors who accept gzip. "
               f"{path} is {size:,} bytes long and would be about {needed:,} bytes.")
    details: dict[str, Json] = {
        "service": name, "path": path, "before_bytes": size, "after_bytes": needed, "paths": sorted(plain)[:20],
        "spares_parts": _spares_parts(subject, name),
    }
    probe = Probe("http", name, Request("GET", path).to_json(),
                  {"encoding": ["gzip"], "at_most_bytes": int(needed * 1.15) + 200, "identity_readable": True})
    return Finding("compression", Kind.PERFORMANCE, "no-compression", name,
                   f"Compress what {name} sends: {size / 1000:.1f} kB could be {needed / 1000:.1f} kB", summary, probe,
                   round(min(80.0, 12 * math.log2(1 + saved / 1000)), 1), details)


def _spares_parts(subject: Subject, name: str) -> bool | None:
    """Whether the installed Starlette leaves partial answers (Range) and video alone; None when there is none."""
    file = installed(subject, name, "starlette/middleware/gzip.py")
    text = file.read_text(errors="replace") if file else ""
    return ("206" in text and "video/" in text) if text else None
