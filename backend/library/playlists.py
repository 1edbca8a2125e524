"""Playlists: named, ordered, each video at most once."""

import sqlite3
from collections.abc import Sequence

from library.catalogue import video_of
from library.clock import now
from library.models import Playlist, PlaylistSummary

SUMMARY = (
    "SELECT p.id, p.name, p.created, "
    "(SELECT count(*) FROM playlist_items i WHERE i.playlist_id = p.id) AS count FROM playlists p"
)


class UnknownVideos(Exception):
    """The order names other videos than the playlist holds."""


def every(connection: sqlite3.Connection) -> list[PlaylistSummary]:
    return [PlaylistSummary.model_validate(dict(row)) for row in connection.execute(f"{SUMMARY} ORDER BY p.id")]


def create(connection: sqlite3.Connection, name: str) -> int:
    """The id of the new playlist."""
    cursor = connection.execute("INSERT INTO playlists (name, created) VALUES (?, ?)", (name, now()))
    return cursor.lastrowid or 0


def find(connection: sqlite3.Connection, playlist_id: int) -> Playlist | None:
    row = connection.execute(f"{SUMMARY} WHERE p.id = ?", (playlist_id,)).fetchone()
    if row is None:
        return None
    items = connection.execute(
        "SELECT v.* FROM playlist_items i JOIN videos v ON v.id = i.video_id WHERE i.playlist_id = ? "
        "ORDER BY i.position, i.video_id",
        (playlist_id,),
    )
    return Playlist.model_validate({**dict(row), "items": [video_of(item) for item in items]})


def rename(connection: sqlite3.Connection, playlist_id: int, name: str) -> bool:
    """False when there is no such playlist."""
    return connection.execute("UPDATE playlists SET name = ? WHERE id = ?", (name, playlist_id)).rowcount > 0


def delete(connection: sqlite3.Connection, playlist_id: int) -> bool:
    """False when there is no such playlist."""
    return connection.execute("DELETE FROM playlists WHERE id = ?", (playlist_id,)).rowcount > 0


def append(connection: sqlite3.Connection, playlist_id: int, video_id: int) -> None:
    """Put the video last; one that is already there keeps its place. Both must exist."""
    connection.execute(
        "INSERT OR IGNORE INTO playlist_items (playlist_id, video_id, position) "
        "SELECT ?, ?, coalesce(max(position), 0) + 1 FROM playlist_items WHERE playlist_id = ?",
        (playlist_id, video_id, playlist_id),
    )


def remove(connection: sqlite3.Connection, playlist_id: int, video_id: int) -> bool:
    """False when the video was not in the playlist."""
    statement = "DELETE FROM playlist_items WHERE playlist_id = ? AND video_id = ?"
    return connection.execute(statement, (playlist_id, video_id)).rowcount > 0


def reorder(connection: sqlite3.Connection, playlist_id: int, video_ids: Sequence[int]) -> None:
    """Give the items this order. Raises UnknownVideos unless it names exactly the videos that are there."""
    rows = connection.execute("SELECT video_id FROM playlist_items WHERE playlist_id = ?", (playlist_id,))
    present = sorted(row["video_id"] for row in rows)
    if present != sorted(video_ids):
        raise UnknownVideos("The order must name exactly the videos of the playlist, each once.")
    connection.executemany(
        "UPDATE playlist_items SET position = ? WHERE playlist_id = ? AND video_id = ?",
        [(position, playlist_id, video_id) for position, video_id in enumerate(video_ids, start=1)],
    )
