"""oEmbed: a page names an address that describes its video."""

import json

from selectolax.lexbor import LexborHTMLParser

from library import values
from library.found import FoundVideo


def endpoint(page: LexborHTMLParser, url: str) -> str | None:
    """The address of the page's description, if it names one in JSON."""
    link = page.css_first('link[type="application/json+oembed"][href]')
    return values.web_address(link.attributes.get("href"), url) if link else None


def video(body: bytes, page_url: str, endpoint_url: str) -> FoundVideo | None:
    """The video that the description is of. Raises ValueError when it is no JSON object."""
    try:
        data = json.loads(body)
    except RecursionError as error:
        raise ValueError("the oEmbed answer is nested too deeply") from error
    if not isinstance(data, dict):
        raise ValueError("the oEmbed answer is no object")
    title = values.text(data.get("title"), values.MAX_TITLE)
    if data.get("type") != "video" or not title:
        return None
    return FoundVideo(
        url=page_url,
        title=title,
        description=values.text(data.get("description"), values.MAX_DESCRIPTION),
        media_url=values.web_address(_media(data.get("html")), endpoint_url),
        thumbnail_url=values.web_address(data.get("thumbnail_url"), endpoint_url),
        duration=values.seconds(data.get("duration")),
        published=values.moment(data.get("upload_date")),
        category=values.text(data.get("category"), values.MAX_TAG) or None,
        tags=values.labels(data.get("tags") or data.get("keywords")),
    )


def _media(html: object) -> str | None:
    """The file of a plain player; what sits in a frame of another site is no file."""
    if not isinstance(html, str):
        return None
    node = LexborHTMLParser(html[:100_000]).css_first("video[src], video source[src]")
    return node.attributes.get("src") if node else None
