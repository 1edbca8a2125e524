"""RSS and Atom feeds with Media RSS."""

import io
from typing import Any

import feedparser  # type: ignore[import-untyped]

from library import values
from library.found import FoundVideo, told_apart
from library.pages import Reading

MAX_ENTRIES = 500


def read(body: bytes, url: str) -> Reading:
    """The feed's videos; entries without a media file are links to pages that may hold one.

    Raises ValueError when it is no feed.
    """
    # A file object, because feedparser would take bytes for the name of a file or an address to open.
    feed = feedparser.parse(io.BytesIO(body), sanitize_html=False)
    if feed.bozo and not feed.entries:
        raise ValueError(f"not a readable feed: {feed.bozo_exception}")
    entries = feed.entries[:MAX_ENTRIES]
    videos = [video for entry in entries if (video := _video(entry, url))]
    links = (values.web_address(entry.get("link"), url) for entry in entries if _media(entry) is None)
    return Reading(told_apart(videos), tuple(dict.fromkeys(link for link in links if link)))


def _video(entry: Any, feed_url: str) -> FoundVideo | None:
    media = _media(entry)
    thumbnail: Any = values.first(entry.get("media_thumbnail")) or {}
    title = values.text(entry.get("title"), values.MAX_TITLE)
    media_url = values.web_address(media.get("url") or media.get("href"), feed_url) if media else None
    page = values.web_address(entry.get("link"), feed_url) or media_url
    if media is None or not title or not page:
        return None
    return FoundVideo(
        url=page,
        title=title,
        description=values.text(entry.get("summary"), values.MAX_DESCRIPTION),
        media_url=media_url,
        thumbnail_url=values.web_address(thumbnail.get("url"), feed_url),
        duration=values.seconds(media.get("duration") or entry.get("itunes_duration")),
        published=values.moment(entry.get("published") or entry.get("updated")),
        category=_category(entry),
        tags=values.labels(entry.get("media_keywords") or ""),
    )


def _media(entry: Any) -> dict[str, str] | None:
    """The first video file of an entry: `media:content`, else an enclosure."""
    for content in [*entry.get("media_content", []), *entry.get("enclosures", [])]:
        if content.get("medium") == "video" or content.get("type", "").startswith("video/"):
            return dict(content)
    return None


def _category(entry: Any) -> str | None:
    terms = [values.text(tag.get("term"), values.MAX_TAG) for tag in entry.get("tags", [])]
    return next((term for term in terms if term), None)
