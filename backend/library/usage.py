"""What the library is used for, without who uses it."""

import re
import sqlite3

from library.clock import now
from library.models import EmptySearch, Event

MAX_EVENTS = 500_000
# Addresses and long numbers are typed into search boxes by mistake, and are nobody's business.
PERSONAL = re.compile(r"@|\d{6,}")


def record(connection: sqlite3.Connection, event: Event) -> int:
    """The event's id. The oldest events make room beyond MAX_EVENTS."""
    cursor = connection.execute(
        "INSERT INTO usage_events (type, at, path, video_id, query, results) VALUES (?, ?, ?, ?, ?, ?)",
        (event.type, now(), _path(event.path), event.video_id, _query(event.query), event.results),
    )
    event_id = cursor.lastrowid or 0
    connection.execute("DELETE FROM usage_events WHERE id <= ?", (event_id - MAX_EVENTS,))
    return event_id


def empty_searches(connection: sqlite3.Connection, limit: int = 50) -> list[EmptySearch]:
    """The queries that most often found nothing, most frequent first."""
    rows = connection.execute(
        "SELECT query, count(*) AS count FROM usage_events WHERE type = 'search' AND results = 0 "
        "AND query IS NOT NULL GROUP BY query ORDER BY count DESC, query LIMIT ?",
        (limit,),
    )
    return [EmptySearch(query=row["query"], count=row["count"]) for row in rows]


def _path(path: str | None) -> str | None:
    return None if path is None else re.split(r"[?#]", path)[0][:200]


def _query(query: str | None) -> str | None:
    if query is None or PERSONAL.search(query):
        return None
    return " ".join(query.casefold().split())[:100] or None
