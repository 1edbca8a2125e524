"""One crawl: from a listed address along the links of its own site, within bounds."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException

from library import documents, oembed
from library.fetcher import Fetcher, FetchFailed
from library.found import FoundVideo
from library.robots import Disallowed, Robots
from library.values import origin

# What a stranger's page can make our readers raise. One bad page must never end a crawl.
BAD_PAGE = (ValueError, LookupError, TypeError, AttributeError, RecursionError, OSError, HTTPException)


@dataclass(frozen=True)
class Bounds:
    """pages: addresses read; depth: links away from the start; seconds: in all; pause: seconds between two pages."""

    pages: int = 60
    depth: int = 2
    seconds: float = 600.0
    pause: float = 0.5


@dataclass(frozen=True)
class Visit:
    """One address that was tried: its videos, or why it could not be read, or that the site forbids it."""

    url: str
    videos: tuple[FoundVideo, ...] = ()
    error: str | None = None
    forbidden: bool = False


class Crawl:
    """Visits `start` and what it links to on the same origin, until the bounds or `stop`."""

    def __init__(self, fetcher: Fetcher, start: str, stop: threading.Event, bounds: Bounds | None = None) -> None:
        self._fetcher = fetcher
        self._robots = Robots(fetcher)
        self._stop = stop
        self._bounds = bounds or Bounds()
        self._home = origin(start)
        self._waiting: deque[tuple[str, int]] = deque([(start, 0)])
        self._seen = {start}

    def visits(self) -> Iterator[Visit]:
        """The visits as they happen. A generator, so that the caller stores each before the next begins."""
        deadline = time.monotonic() + self._bounds.seconds
        for number in range(self._bounds.pages):
            if not self._waiting or time.monotonic() > deadline or (number and self._pause()):
                return
            url, depth = self._waiting.popleft()
            visit = self._visit(url, depth)
            if self._stop.is_set():
                return
            yield visit

    def _pause(self) -> bool:
        """Wait as long as the site wishes; True when the crawl is to stop."""
        delay = self._robots.delay(self._waiting[0][0])
        return self._stop.wait(self._bounds.pause if delay is None else delay)

    def _visit(self, url: str, depth: int) -> Visit:
        try:
            document = self._fetcher.get(url, self._robots.require)
            if document.status != 200:
                return Visit(url, error=f"the site answered {document.status}")
            if depth == 0:
                self._home = origin(document.url)
            elif origin(document.url) != self._home:
                return Visit(url, error="the address leads to another site")
            reading = documents.read(document)
            self._follow(reading.links, depth + 1)
            described = self._described(reading.oembed, document.url) if reading.oembed else ()
            return Visit(url, reading.videos or described)
        except Disallowed:
            return Visit(url, forbidden=True)
        except FetchFailed as error:
            return Visit(url, error=str(error))
        except BAD_PAGE as error:
            return Visit(url, error=f"unreadable: {type(error).__name__}: {error}")

    def _described(self, endpoint: str, page_url: str) -> tuple[FoundVideo, ...]:
        answer = self._fetcher.get(endpoint, self._robots.require)
        if answer.status != 200:
            raise FetchFailed(f"the oEmbed address answered {answer.status}")
        video = oembed.video(answer.body, page_url, answer.url)
        return (video,) if video else ()

    def _follow(self, links: tuple[str, ...], depth: int) -> None:
        if depth > self._bounds.depth:
            return
        for link in links:
            if origin(link) == self._home and link not in self._seen and len(self._seen) < self._bounds.pages * 10:
                self._seen.add(link)
                self._waiting.append((link, depth))
