"""The pages and feeds that the user has listed."""

import sqlite3

from library.clock import now
from library.models import Source

SELECT = (
    "SELECT s.id, s.url, s.added, "
    "(SELECT count(*) FROM videos v WHERE v.source_id = s.id) AS videos, "
    "(SELECT c.status FROM crawls c WHERE c.source_id = s.id ORDER BY c.id DESC LIMIT 1) AS last_crawl "
    "FROM sources s"
)


def every(connection: sqlite3.Connection) -> list[Source]:
    return [Source.model_validate(dict(row)) for row in connection.execute(f"{SELECT} ORDER BY s.id")]


def find(connection: sqlite3.Connection, source_id: int) -> Source | None:
    row = connection.execute(f"{SELECT} WHERE s.id = ?", (source_id,)).fetchone()
    return Source.model_validate(dict(row)) if row else None


def add(connection: sqlite3.Connection, url: str) -> tuple[int, bool]:
    """The source's id, and whether it is new."""
    known = connection.execute("SELECT id FROM sources WHERE url = ?", (url,)).fetchone()
    if known:
        return known["id"], False
    cursor = connection.execute("INSERT INTO sources (url, added) VALUES (?, ?)", (url, now()))
    return cursor.lastrowid or 0, True


def delete(connection: sqlite3.Connection, source_id: int) -> bool:
    """Forget the source and its unfinished crawls; its videos stay. False when there is no such source."""
    connection.execute("DELETE FROM crawls WHERE source_id = ? AND status IN ('queued', 'running')", (source_id,))
    return connection.execute("DELETE FROM sources WHERE id = ?", (source_id,)).rowcount > 0
