"""What the API takes and gives."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Sort = Literal["relevance", "newest", "oldest", "title", "duration", "plays"]


class Video(BaseModel):
    """`url` is the page, `media_url` the file that a player can open; `duration` is in seconds."""

    id: int
    title: str
    description: str
    url: str
    media_url: str | None
    thumbnail_url: str | None
    duration: int | None
    published: str | None
    category: str | None
    tags: list[str]
    favourite: bool
    plays: int
    source_id: int | None
    added: str


class VideoPage(BaseModel):
    items: list[Video]
    total: int
    page: int
    page_size: int


class VideoChange(BaseModel):
    """What is left out stays; a null category clears it."""

    category: Label | None = None
    tags: Annotated[list[Label], Field(max_length=40)] | None = None


class Plays(BaseModel):
    plays: int


class Favourite(BaseModel):
    favourite: bool


class LabelCount(BaseModel):
    name: str
    count: int


class PlaylistName(BaseModel):
    name: Label


class PlaylistSummary(BaseModel):
    id: int
    name: str
    created: str
    count: int


class Playlist(PlaylistSummary):
    items: list[Video]


class PlaylistItem(BaseModel):
    video_id: int


class PlaylistOrder(BaseModel):
    video_ids: Annotated[list[int], Field(max_length=5000)]


class SourceUrl(BaseModel):
    url: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class Source(BaseModel):
    id: int
    url: str
    added: str
    videos: int
    last_crawl: str | None


class CrawlError(BaseModel):
    url: str
    error: str


class Crawl(BaseModel):
    """`pages` were read, `skipped` forbidden by robots.txt, `failed` could not be read."""

    id: int
    source_id: int | None
    url: str
    status: Literal["queued", "running", "done", "failed"]
    queued: str
    started: str | None
    finished: str | None
    pages: int
    skipped: int
    added: int
    updated: int
    failed: int
    errors: list[CrawlError]


class Event(BaseModel):
    """Something that happened in a browser. There is no field for who did it."""

    type: Literal["page_view", "play", "search"]
    path: Annotated[str, StringConstraints(max_length=300)] | None = None
    video_id: int | None = None
    query: Annotated[str, StringConstraints(max_length=200)] | None = None
    results: int | None = None


class Recorded(BaseModel):
    id: int


class EmptySearch(BaseModel):
    query: str
    count: int


class Health(BaseModel):
    status: Literal["ok"] = "ok"


class CrawlState(BaseModel):
    """crawler: this process's thread; holder: who crawls now, of all processes; unfinished: whether work waits."""

    crawler: Literal["on", "off"]
    holder: str | None
    unfinished: bool


class Readiness(BaseModel):
    status: Literal["ready", "not ready"]
    database: str
    crawl: CrawlState
