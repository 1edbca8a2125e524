"""Whether the service can do its work: can it write, and can it crawl."""

import sqlite3

from library import crawls, lease
from library.clock import now
from library.crawler import LEASE, Crawler
from library.database import Database, DatabaseUnready
from library.models import CrawlState, Readiness


def check(database: Database, crawler: Crawler | None) -> Readiness:
    """Writes one row for real; costs one sync of the disk."""
    running = crawler is not None and crawler.alive
    try:
        database.require_schema()
        with database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO readiness (id, checked) VALUES (1, ?)", (now(),))
            state = CrawlState(
                crawler="on" if running else "off",
                holder=lease.holder(connection, LEASE),
                unfinished=crawls.unfinished(connection),
            )
    except (DatabaseUnready, sqlite3.Error) as error:
        state = CrawlState(crawler="on" if running else "off", holder=None, unfinished=False)
        return Readiness(status="not ready", database=f"not writable: {error}", crawl=state)
    return Readiness(status="ready", database="writable", crawl=state)
