"""Finding videos: words, filters, order, pages."""

import re
import sqlite3
from dataclasses import dataclass

from library.catalogue import video_of
from library.models import Sort, Video

ORDERS: dict[Sort, str] = {
    "newest": "v.published DESC, v.id DESC",
    "oldest": "v.published ASC NULLS LAST, v.id ASC",
    "title": "v.title COLLATE NOCASE ASC, v.id ASC",
    "duration": "v.duration ASC NULLS LAST, v.id ASC",
    "plays": "v.plays DESC, v.id DESC",
}
# A word in the title says more about a video than one in its description.
RELEVANCE = "bm25(videos_fts, 10.0, 2.0, 4.0, 5.0), v.id DESC"
MAX_WORDS = 12


@dataclass(frozen=True)
class Query:
    """What to look for; durations are in seconds. None means: no matter."""

    words: str = ""
    category: str | None = None
    tag: str | None = None
    source: int | None = None
    favourite: bool | None = None
    min_duration: int | None = None
    max_duration: int | None = None
    sort: Sort = "relevance"


def find(connection: sqlite3.Connection, query: Query, page: int, page_size: int) -> tuple[list[Video], int]:
    """One page of the videos that match, and how many match in all."""
    if query.words.strip() and not match_expression(query.words):
        return [], 0
    origin, values = _origin(query)
    total: int = connection.execute(f"SELECT count(*) FROM {origin}", values).fetchone()[0]
    rows = connection.execute(
        f"SELECT v.* FROM {origin} ORDER BY {_order(query)} LIMIT ? OFFSET ?",
        (*values, page_size, (page - 1) * page_size),
    )
    return [video_of(row) for row in rows], total


def match_expression(words: str) -> str:
    """The words as an FTS5 expression: all of them, the last one perhaps still being typed."""
    found = re.findall(r"\w+", words)[:MAX_WORDS]
    return " ".join(f'"{word}"' for word in found) + "*" if found else ""


def _origin(query: Query) -> tuple[str, tuple[object, ...]]:
    conditions = _conditions(query)
    tables = "videos v"
    if query.words.strip():
        tables = "videos_fts JOIN videos v ON v.id = videos_fts.rowid"
        conditions.insert(0, ("videos_fts MATCH ?", match_expression(query.words)))
    where = " AND ".join(condition for condition, _ in conditions)
    return f"{tables} WHERE {where}" if where else tables, tuple(value for _, value in conditions)


def _conditions(query: Query) -> list[tuple[str, object]]:
    every: list[tuple[str, object]] = [
        ("v.category = ?", query.category),
        ("v.id IN (SELECT video_id FROM video_tags WHERE tag = ?)", query.tag),
        ("v.source_id = ?", query.source),
        ("v.favourite = ?", query.favourite),
        ("v.duration >= ?", query.min_duration),
        ("v.duration <= ?", query.max_duration),
    ]
    return [(condition, value) for condition, value in every if value is not None]


def _order(query: Query) -> str:
    if query.sort == "relevance":
        return RELEVANCE if query.words.strip() else ORDERS["newest"]
    return ORDERS[query.sort]
