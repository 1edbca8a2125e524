"""JSON-LD: the VideoObjects that a page describes."""

import json
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser

from library import values
from library.found import FoundVideo

MAX_NODES = 5000


def videos(page: LexborHTMLParser, url: str) -> list[FoundVideo]:
    """Every VideoObject of the page that has a name; scripts that are no JSON are passed over."""
    found = []
    for script in page.css('script[type="application/ld+json"]'):
        try:
            data = json.loads(script.text())
        except (ValueError, RecursionError):
            continue
        found += [video for node in _objects(data) if (video := _video(node, url))]
    return found


def _objects(data: object) -> Iterator[dict[str, object]]:
    """The VideoObjects of a tree, wherever they hang, in the order of the text."""
    waiting, seen = [data], 0
    while waiting and seen < MAX_NODES:
        node = waiting.pop()
        seen += 1
        if isinstance(node, list):
            waiting.extend(reversed(node))
        elif isinstance(node, dict):
            kinds = node.get("@type")
            if "VideoObject" in (kinds if isinstance(kinds, list) else [kinds]):
                yield node
            else:
                waiting.extend(reversed(list(node.values())))


def _video(node: dict[str, object], page: str) -> FoundVideo | None:
    title = values.text(node.get("name") or node.get("headline"), values.MAX_TITLE)
    if not title:
        return None
    return FoundVideo(
        url=values.own_page(node.get("url"), page),
        title=title,
        description=values.text(node.get("description"), values.MAX_DESCRIPTION),
        media_url=values.web_address(values.first(node.get("contentUrl")), page),
        thumbnail_url=values.web_address(_image(node.get("thumbnailUrl") or node.get("thumbnail")), page),
        duration=values.seconds(node.get("duration")),
        published=values.moment(node.get("uploadDate") or node.get("datePublished")),
        category=values.text(values.first(node.get("genre")), values.MAX_TAG) or None,
        tags=values.labels(node.get("keywords")),
    )


def _image(value: object) -> object:
    """An image is an address, an ImageObject, or a list of either."""
    image = values.first(value)
    return (image.get("url") or image.get("contentUrl")) if isinstance(image, dict) else image
