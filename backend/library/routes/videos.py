"""Browsing, searching and marking videos."""

import logging
import sqlite3

from fastapi import APIRouter

from library import catalogue, search, usage
from library.database import Database, DatabaseUnready
from library.models import Event, Favourite, LabelCount, Plays, Sort, Video, VideoChange, VideoPage
from library.routes.access import Library, absent

router = APIRouter(prefix="/api", tags=["videos"])
log = logging.getLogger("uvicorn.error")


@router.get("/videos")
def list_videos(
    library: Library,
    q: str = "",
    category: str | None = None,
    tag: str | None = None,
    source: int | None = None,
    favourite: bool | None = None,
    min_duration: int | None = None,
    max_duration: int | None = None,
    sort: Sort = "relevance",
    page: int = 1,
    page_size: int = 24,
) -> VideoPage:
    query = search.Query(q, category, tag, source, favourite, min_duration, max_duration, sort)
    with library.reading() as connection:
        items, total = search.find(connection, query, page, page_size)
    if q.strip() and total == 0:
        note_empty_search(library, q)
    return VideoPage(items=items, total=total, page=page, page_size=page_size)


@router.get("/videos/{video_id}")
def get_video(library: Library, video_id: int) -> Video:
    with library.reading() as connection:
        return catalogue.find(connection, video_id) or absent("video")


@router.patch("/videos/{video_id}")
def change_video(library: Library, video_id: int, change: VideoChange) -> Video:
    with library.writing() as connection:
        catalogue.change(connection, video_id, change)
        return catalogue.find(connection, video_id) or absent("video")


@router.post("/videos/{video_id}/play")
def play_video(library: Library, video_id: int) -> Plays:
    with library.writing() as connection:
        plays = catalogue.play(connection, video_id)
        if plays is None:
            absent("video")
        usage.record(connection, Event(type="play", video_id=video_id))
    return Plays(plays=plays)


@router.put("/videos/{video_id}/favourite")
def add_favourite(library: Library, video_id: int) -> Favourite:
    return mark(library, video_id, True)


@router.delete("/videos/{video_id}/favourite")
def remove_favourite(library: Library, video_id: int) -> Favourite:
    return mark(library, video_id, False)


@router.get("/categories")
def list_categories(library: Library) -> list[LabelCount]:
    with library.reading() as connection:
        return catalogue.categories(connection)


@router.get("/tags")
def list_tags(library: Library) -> list[LabelCount]:
    with library.reading() as connection:
        return catalogue.tags(connection)


def mark(library: Database, video_id: int, favourite: bool) -> Favourite:
    with library.writing() as connection:
        if not catalogue.set_favourite(connection, video_id, favourite):
            absent("video")
    return Favourite(favourite=favourite)


def note_empty_search(library: Database, words: str) -> None:
    """A search must be answered even when its record cannot be written."""
    try:
        with library.writing() as connection:
            usage.record(connection, Event.model_construct(type="search", query=words, results=0))
    except (DatabaseUnready, sqlite3.Error) as error:
        log.warning("an empty search was not recorded: %s", error)
