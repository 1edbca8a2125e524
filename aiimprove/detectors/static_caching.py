"""Files of pages that browsers fetch again although they have them already."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from aiimprove.answer import Answer, validators
from aiimprove.detectors import Subject
from aiimprove.detectors.pages import files, pages
from aiimprove.detectors.visit import Visit, visit
from aiimprove.finding import Finding, Json, Kind, Probe
from aiimprove.hashed import is_hashed
from aiimprove.samples import Request

HASHED, AGAIN = "hashed-not-kept", "sent-again"
KEPT: dict[str, Json] = {"name": "Cache-Control", "pattern": r"immutable|max-age=[1-9]\d{5,}"}
LEAST_BYTES = 1400
MOST_FILES = 16


class StaticCaching:
    """One finding for the files of a service whose names change with what is in them, and which browsers are not told
    to keep; and one for those without ETag and Last-Modified, or whose server sends all of them again to who has them.
    """

    name = "static_caching"

    def look(self, subject: Subject) -> Iterator[Finding]:
        for name in subject.copy.urls:
            with visit(subject, name) as each:
                loaded = _loaded(each)
                again = {path: answer for path, answer in loaded.items() if not _kept(answer)
                         and len(answer.raw) >= LEAST_BYTES and not _revalidated(each, path, answer)}
            hashed = {path: answer for path, answer in loaded.items()
                      if is_hashed(urlsplit(path).path) and not _kept(answer)}
            if hashed:
                yield _finding(name, HASHED, hashed)
            if again:
                yield _finding(name, AGAIN, again)


def _loaded(each: Visit) -> Mapping[str, Answer]:
    """The files that the pages load, each once."""
    found: dict[str, Answer] = {}
    for path, page in pages(each):
        for file in files(path, page):
            if file not in found and len(found) < MOST_FILES:
                answer = Request("GET", file).send(each.line)
                if answer and answer.status == 200 and "text/html" not in answer.headers.get("content-type", ""):
                    found[file] = answer
    return found


def _kept(answer: Answer) -> bool:
    said = answer.headers.get("cache-control", "")
    return bool(re.search(str(KEPT["pattern"]), said)) or "no-store" in said


def _revalidated(each: Visit, path: str, answer: Answer) -> bool:
    """Whether who has the file already is told so."""
    known = validators(answer)
    again = Request("GET", path).send(each.line, known) if known else None
    return again is not None and again.status == 304


def _finding(name: str, cause: str, found: Mapping[str, Answer]) -> Finding:
    size = sum(len(answer.raw) for answer in found.values())
    path = max(found, key=lambda each: (len(found[each].raw), each))
    title, why = _WORDS[cause]
    details: dict[str, Json] = {"service": name, "path": path, "paths": sorted(found), "bytes": size,
                                "cache_control": found[path].headers.get("cache-control", "")}
    probe = Probe("http", name, Request("GET", path).to_json(), {"headers": [KEPT]})
    if cause == AGAIN:
        probe = Probe("again", name, probe.request, {"status_in": [304]})
    return Finding("static_caching", Kind.PERFORMANCE, cause, name, title.format(name),
                   f"{why} {len(found)} files with {size:,} bytes are concerned, such as {path}.", probe,
                   round(min(60.0, 8 * math.log2(1 + size / 1000)), 1), details)


_WORDS = {
    HASHED: ("Let browsers keep the files of {} whose names say what is in them",
                        "A file with a hash in its name never changes, and yet browsers ask for it on every visit."),
    AGAIN: ("Answer browsers that have a file of {} already",
                   "A browser that has a file already is sent all of it again.")}
