"""The record of crawls: asked for, running, done."""

import sqlite3

from library.clock import now
from library.models import Crawl, CrawlError

MAX_ERRORS = 50
MAX_HISTORY = 200
MAX_ATTEMPTS = 5


def ask(connection: sqlite3.Connection, source_id: int, url: str) -> int:
    """Queue a crawl of the source; the id of the one that already waits, if one does."""
    waiting = "SELECT id FROM crawls WHERE source_id = ? AND status = 'queued'"
    row = connection.execute(waiting, (source_id,)).fetchone()
    if row:
        return int(row["id"])
    connection.execute(
        "DELETE FROM crawls WHERE status IN ('done', 'failed') AND id <= "
        "(SELECT coalesce(max(id), 0) FROM crawls) - ?",
        (MAX_HISTORY,),
    )
    cursor = connection.execute("INSERT INTO crawls (source_id, url, queued) VALUES (?, ?, ?)", (source_id, url, now()))
    return cursor.lastrowid or 0


def unfinished(connection: sqlite3.Connection) -> bool:
    """Whether a crawl waits, or runs, or ran when its process died."""
    statement = "SELECT 1 FROM crawls WHERE status IN ('queued', 'running') LIMIT 1"
    return connection.execute(statement).fetchone() is not None


def claim(connection: sqlite3.Connection, holder: str) -> Crawl | None:
    """Start the next unfinished crawl. Only the holder of the lease may, so a running one has lost its process."""
    connection.execute(
        "UPDATE crawls SET status = 'failed', finished = ? WHERE status = 'running' AND attempts >= ?",
        (now(), MAX_ATTEMPTS),
    )
    row = connection.execute("SELECT min(id) AS id FROM crawls WHERE status IN ('queued', 'running')").fetchone()
    if row["id"] is None:
        return None
    connection.execute("DELETE FROM crawl_errors WHERE crawl_id = ?", (row["id"],))
    connection.execute(
        "UPDATE crawls SET status = 'running', holder = ?, started = ?, attempts = attempts + 1, "
        "pages = 0, skipped = 0, added = 0, updated = 0, failed = 0 WHERE id = ?",
        (holder, now(), row["id"]),
    )
    return find(connection, row["id"])


def runs(connection: sqlite3.Connection, crawl_id: int, holder: str) -> bool:
    """Whether the crawl is still wanted of this holder; it is not when its source was deleted."""
    statement = "SELECT 1 FROM crawls WHERE id = ? AND status = 'running' AND holder = ?"
    return connection.execute(statement, (crawl_id, holder)).fetchone() is not None


def count(connection: sqlite3.Connection, crawl_id: int, column: str, amount: int = 1) -> None:
    """Add to one of the crawl's counters: pages, skipped, added, updated, failed."""
    connection.execute(f"UPDATE crawls SET {column} = {column} + ? WHERE id = ?", (amount, crawl_id))


def complain(connection: sqlite3.Connection, crawl_id: int, url: str, error: str) -> None:
    """Record why a page could not be read; the first MAX_ERRORS of a crawl are kept."""
    connection.execute(
        "INSERT INTO crawl_errors (crawl_id, url, error) SELECT ?, ?, ? "
        "WHERE (SELECT count(*) FROM crawl_errors WHERE crawl_id = ?) < ?",
        (crawl_id, url[:2000], error[:300], crawl_id, MAX_ERRORS),
    )
    count(connection, crawl_id, "failed")


def finish(connection: sqlite3.Connection, crawl_id: int) -> None:
    """The crawl is over: done when at least one page could be read."""
    connection.execute(
        "UPDATE crawls SET status = CASE WHEN pages > 0 THEN 'done' ELSE 'failed' END, finished = ? WHERE id = ?",
        (now(), crawl_id),
    )


def give_back(connection: sqlite3.Connection, holder: str) -> None:
    """Queue the crawls of a holder that stops, so that the next process begins them again."""
    connection.execute("UPDATE crawls SET status = 'queued' WHERE status = 'running' AND holder = ?", (holder,))


def find(connection: sqlite3.Connection, crawl_id: int) -> Crawl | None:
    row = connection.execute("SELECT * FROM crawls WHERE id = ?", (crawl_id,)).fetchone()
    return _crawl(connection, row) if row else None


def recent(connection: sqlite3.Connection, limit: int = 50) -> list[Crawl]:
    """The latest crawls, newest first, each with its errors."""
    rows = connection.execute("SELECT * FROM crawls ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
    return [_crawl(connection, row) for row in rows]


def _crawl(connection: sqlite3.Connection, row: sqlite3.Row) -> Crawl:
    errors = connection.execute("SELECT url, error FROM crawl_errors WHERE crawl_id = ? ORDER BY id", (row["id"],))
    return Crawl.model_validate({**dict(row), "errors": [CrawlError.model_validate(dict(each)) for each in errors]})
