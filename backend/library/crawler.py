"""Performs queued crawls in a thread of its own, while it holds the lease."""

import logging
import os
import secrets
import sqlite3
import threading

from library import catalogue, crawls, lease
from library.crawl import Bounds, Crawl, Visit
from library.database import Database, DatabaseUnready
from library.fetcher import Fetcher
from library.guard import Guard
from library.models import Crawl as CrawlRecord

LEASE = "crawl"
POLL_SECONDS = 5.0

log = logging.getLogger("uvicorn.error")


class Crawler:
    """A crawl asked for in the other release's process is found by a look into the queue every POLL_SECONDS."""

    def __init__(self, database: Database, guard: Guard, bounds: Bounds | None = None) -> None:
        self.holder = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._database = database
        self._fetcher = Fetcher(guard)
        self._bounds = bounds
        self._stopping = threading.Event()
        self._asked = threading.Event()
        self._thread = threading.Thread(target=self._work, name="crawler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread runs, so that a queued crawl will be performed."""
        return self._thread.is_alive()

    def wake(self) -> None:
        """Look into the queue now."""
        self._asked.set()

    def stop(self, seconds: float = 1.5) -> None:
        """End the crawl that runs and give it and the lease back; what still hangs can write nothing more."""
        self._stopping.set()
        self._asked.set()
        self._fetcher.abort()
        if self._thread.is_alive():
            self._thread.join(seconds)
        try:
            with self._database.writing() as connection:
                crawls.give_back(connection, self.holder)
                lease.release(connection, LEASE, self.holder)
        except (DatabaseUnready, sqlite3.Error) as error:
            log.warning("the crawl lease was not given back and will run out: %s", error)

    def perform_queued(self) -> None:
        """Perform every unfinished crawl here and now; nothing when another process holds the lease."""
        self._database.require_schema()
        with self._database.reading() as connection:
            if not crawls.unfinished(connection):
                return
        while not self._stopping.is_set() and (record := self._claim()):
            self._perform(record)

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                self.perform_queued()
            except (DatabaseUnready, lease.LeaseLost, sqlite3.Error) as error:
                log.warning("crawling pauses: %s: %s", type(error).__name__, error)
            self._asked.wait(POLL_SECONDS)
            self._asked.clear()

    def _claim(self) -> CrawlRecord | None:
        with self._database.writing() as connection:
            if not lease.acquire(connection, LEASE, self.holder):
                return None
            record = crawls.claim(connection, self.holder)
            if record is None:
                lease.release(connection, LEASE, self.holder)
            return record

    def _perform(self, record: CrawlRecord) -> None:
        for visit in Crawl(self._fetcher, record.url, self._stopping, self._bounds).visits():
            with self._database.writing() as connection:
                lease.renew(connection, LEASE, self.holder)
                if not crawls.runs(connection, record.id, self.holder):
                    return
                _store(connection, record, visit)
        if not self._stopping.is_set():
            with self._database.writing() as connection:
                lease.renew(connection, LEASE, self.holder)
                crawls.finish(connection, record.id)


def _store(connection: sqlite3.Connection, record: CrawlRecord, visit: Visit) -> None:
    if visit.forbidden:
        crawls.count(connection, record.id, "skipped")
    elif visit.error is not None:
        crawls.complain(connection, record.id, visit.url, visit.error)
    else:
        crawls.count(connection, record.id, "pages")
    for video in visit.videos:
        kept = catalogue.keep(connection, video, record.source_id)
        if kept != "unchanged":
            crawls.count(connection, record.id, kept)
