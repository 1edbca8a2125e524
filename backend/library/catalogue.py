"""The videos: one at a time, and what is counted over all of them."""

import json
import sqlite3
from typing import Literal

from library.clock import now
from library.found import FoundVideo
from library.models import LabelCount, Video, VideoChange

Kept = Literal["added", "updated", "unchanged"]


def video_of(row: sqlite3.Row) -> Video:
    """The video that a row of the table `videos` holds."""
    return Video.model_validate({**dict(row), "tags": json.loads(row["tags"])})


def find(connection: sqlite3.Connection, video_id: int) -> Video | None:
    row = connection.execute("SELECT * FROM videos WHERE id = ?", (video_id,)).fetchone()
    return video_of(row) if row else None


def change(connection: sqlite3.Connection, video_id: int, wanted: VideoChange) -> bool:
    """Set category or tags by hand; later crawls leave both alone. False when there is no such video."""
    columns: dict[str, str | None] = {}
    if "category" in wanted.model_fields_set:
        columns["category"] = wanted.category
    if wanted.tags is not None:
        columns["tags"] = tags_text(wanted.tags)
    assignments = "".join(f"{column} = ?, " for column in columns)
    return _changed(connection, f"UPDATE videos SET {assignments}edited = 1 WHERE id = ?", *columns.values(), video_id)


def play(connection: sqlite3.Connection, video_id: int) -> int | None:
    """Count one more play; the new count, or None when there is no such video."""
    if not _changed(connection, "UPDATE videos SET plays = plays + 1 WHERE id = ?", video_id):
        return None
    plays: int = connection.execute("SELECT plays FROM videos WHERE id = ?", (video_id,)).fetchone()["plays"]
    return plays


def set_favourite(connection: sqlite3.Connection, video_id: int, favourite: bool) -> bool:
    """False when there is no such video."""
    return _changed(connection, "UPDATE videos SET favourite = ? WHERE id = ?", favourite, video_id)


def categories(connection: sqlite3.Connection) -> list[LabelCount]:
    """Every category with the number of its videos, largest first."""
    return _counts(
        connection,
        "SELECT category AS name, count(*) AS count FROM videos WHERE category IS NOT NULL "
        "GROUP BY category ORDER BY count DESC, name",
    )


def tags(connection: sqlite3.Connection) -> list[LabelCount]:
    """The 500 most used tags with the number of their videos."""
    return _counts(
        connection,
        "SELECT tag AS name, count(*) AS count FROM video_tags GROUP BY tag ORDER BY count DESC, name LIMIT 500",
    )


def keep(connection: sqlite3.Connection, found: FoundVideo, source_id: int | None) -> Kept:
    """Store what a crawl found; what is known is never emptied, and completed only by another source."""
    row = connection.execute("SELECT * FROM videos WHERE url = ?", (found.url,)).fetchone()
    news = _columns(found)
    if row is None:
        columns = {"url": found.url, "source_id": source_id, "added": now(), **news}
        marks = ", ".join("?" * len(columns))
        connection.execute(f"INSERT INTO videos ({', '.join(columns)}) VALUES ({marks})", tuple(columns.values()))
        return "added"
    fixed = {"category", "tags"} if row["edited"] else set()
    if row["source_id"] not in (None, source_id):
        fixed |= {name for name in news if row[name] not in (None, "", "[]")}
    changed = {name: value for name, value in news.items() if value != row[name] and name not in fixed}
    if not changed:
        return "unchanged"
    assignments = ", ".join(f"{name} = ?" for name in changed)
    connection.execute(f"UPDATE videos SET {assignments} WHERE id = ?", (*changed.values(), row["id"]))
    return "updated"


def tags_text(names: list[str] | tuple[str, ...]) -> str:
    """Tags as the table holds them: a JSON list, each once, in the order given."""
    return json.dumps(list(dict.fromkeys(names)), ensure_ascii=False)


def _columns(found: FoundVideo) -> dict[str, str | int | None]:
    columns: dict[str, str | int | None] = {
        "title": found.title,
        "description": found.description,
        "media_url": found.media_url,
        "thumbnail_url": found.thumbnail_url,
        "duration": found.duration,
        "published": found.published,
        "category": found.category,
        "tags": tags_text(found.tags) if found.tags else None,
    }
    return {name: value for name, value in columns.items() if value not in (None, "")}


def _changed(connection: sqlite3.Connection, statement: str, *values: object) -> bool:
    return connection.execute(statement, values).rowcount > 0


def _counts(connection: sqlite3.Connection, query: str) -> list[LabelCount]:
    return [LabelCount(name=row["name"], count=row["count"]) for row in connection.execute(query)]
