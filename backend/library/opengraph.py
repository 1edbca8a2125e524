"""OpenGraph: the one video that a page is about."""

from selectolax.lexbor import LexborHTMLParser

from library import values
from library.found import FoundVideo


def video(page: LexborHTMLParser, url: str) -> FoundVideo | None:
    """The page's video, when its metadata says that it has one and how it is called."""
    properties = _properties(page)

    def first(*names: str) -> str | None:
        return next((properties[name][0] for name in names if name in properties), None)

    media = first("og:video:secure_url", "og:video:url", "og:video")
    title = values.text(first("og:title"), values.MAX_TITLE)
    if not title or not (media or (first("og:type") or "").startswith("video")):
        return None
    playable = (first("og:video:type") or "video/").startswith("video/")
    return FoundVideo(
        url=values.own_page(first("og:url"), url),
        title=title,
        description=values.text(first("og:description"), values.MAX_DESCRIPTION),
        media_url=values.web_address(media, url) if playable else None,
        thumbnail_url=values.web_address(first("og:image:secure_url", "og:image:url", "og:image"), url),
        duration=values.seconds(first("video:duration", "og:video:duration")),
        published=values.moment(first("video:release_date", "article:published_time")),
        category=values.text(first("article:section", "video:series"), values.MAX_TAG) or None,
        tags=values.labels([*properties.get("video:tag", []), *properties.get("og:video:tag", [])]),
    )


def _properties(page: LexborHTMLParser) -> dict[str, list[str]]:
    properties: dict[str, list[str]] = {}
    for node in page.css("meta[content]"):
        name, content = node.attributes.get("property") or node.attributes.get("name"), node.attributes.get("content")
        if name and content:
            properties.setdefault(name.strip().lower(), []).append(content)
    return properties
