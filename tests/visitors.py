"""People who use the site while it changes: keep-alive connections, each request sent once and never again."""

from __future__ import annotations

import json
import random
import sqlite3
import string
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

GETS = (("frontend", "/"), ("backend", "/api/videos?page_size=5"))
POSTS = (("backend", "/api/events"), ("backend", "/api/events"), ("frontend", "/api/library/events"))
Ask = Callable[[HTTPConnection, str], tuple[int, bytes]]


class Visitors:
    """`lost` says what went wrong with a request, `acknowledged` which rows somebody was promised."""

    def __init__(self, urls: dict[str, str], pause: float = 0.03) -> None:
        self.lost: list[str] = []
        self.acknowledged: list[str] = []
        self.answers = 0
        self._word = "".join(random.choices(string.ascii_lowercase, k=10))
        self._pause, self._over = pause, threading.Event()
        self._threads = [
            *(threading.Thread(target=self._visit, args=(urls[name], self._get(path))) for name, path in GETS),
            *(threading.Thread(target=self._visit, args=(urls[name], self._post(path, number)))
              for number, (name, path) in enumerate(POSTS))]

    def __enter__(self) -> Visitors:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.leave()

    def leave(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def rows(self, database: Path) -> Counter[str]:
        """How often each of our rows is in the database."""
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT query FROM usage_events WHERE query LIKE ? || ' %'", (self._word,))
            return Counter(row[0] for row in found)

    def must_have_lost_nothing(self, database: Path) -> None:
        assert self.lost == []
        assert self.rows(database) == Counter(self.acknowledged)
        assert max(self.rows(database).values()) == 1
        assert self.answers > len(self.acknowledged) > 20

    def _visit(self, url: str, ask: Iterator[tuple[str, str, bytes, str]]) -> None:
        where = urlsplit(url)
        connection = HTTPConnection(where.hostname or "", where.port, timeout=60)
        for method, path, body, word in ask:
            try:
                connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, HTTPException) as error:
                self.lost.append(f"{method} {path}: {error!r}")
                connection.close()
            else:
                self._take(f"{method} {url}{path}", answer.status, content, word)
            if self._over.wait(self._pause):
                break
        connection.close()

    def _take(self, what: str, status: int, content: bytes, word: str) -> None:
        self.answers += 1
        if not 200 <= status < 300 or not content:
            self.lost.append(f"{what}: answered {status} with {len(content)} bytes: {content[:200]!r}")
        elif word:
            self.acknowledged.append(word)

    def _get(self, path: str) -> Iterator[tuple[str, str, bytes, str]]:
        while True:
            yield "GET", path, b"", ""

    def _post(self, path: str, number: int) -> Iterator[tuple[str, str, bytes, str]]:
        count = 0
        while True:
            count += 1
            word = f"{self._word} {number} {count}"
            yield "POST", path, json.dumps({"type": "search", "query": word, "results": 1}).encode(), word
