"""The pages of a service that its visitors may start with, and the files that they load."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from aiimprove.answer import Answer
from aiimprove.detectors.visit import Visit
from aiimprove.samples import Request

MOST_PAGES = 8
_LOADED = re.compile(r"""<(?:script|link|img|source)\b[^>]*?\b(?:src|href)\s*=\s*["']([^"'#]+)["']""", re.IGNORECASE)
_LED_TO = re.compile(r"""<a\b[^>]*?\bhref\s*=\s*["']([^"'#?]+)["']""", re.IGNORECASE)
_FILE = re.compile(r"\.(?:css|m?js|svg|png|jpe?g|webp|avif|gif|ico|woff2?)$", re.IGNORECASE)


def pages(each: Visit) -> Iterator[tuple[str, Answer]]:
    """Path and answer of every page in HTML: those of the config first, then where they lead to."""
    waiting, seen = [*each.service.smoke, each.service.health], set[str]()
    while waiting and len(seen) < MOST_PAGES:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        answer = Request("GET", path).send(each.line)
        if answer and answer.status == 200 and "text/html" in answer.headers.get("content-type", ""):
            yield path, answer
            waiting += [found for found in _own(path, _LED_TO, answer) if not re.search(r"\.\w+$", found)
                        or found.endswith(".html")]


def files(path: str, answer: Answer) -> list[str]:
    """The files of the same service that a page loads, in a stable order."""
    return sorted({found for found in _own(path, _LOADED, answer) if _FILE.search(urlsplit(found).path)})


def text(answer: Answer) -> str:
    """What a page says."""
    return answer.body.decode("utf-8", "replace")


def _own(path: str, pattern: re.Pattern[str], answer: Answer) -> Iterator[str]:
    for found in pattern.findall(text(answer)):
        address = urljoin(f"http://here{path}", found.strip())
        parts = urlsplit(address)
        if parts.scheme == "http" and parts.netloc == "here":
            yield parts.path + (f"?{parts.query}" if parts.query else "")
