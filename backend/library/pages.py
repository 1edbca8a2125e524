"""A web page: the videos it describes and where it leads."""

from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser

from library import jsonld, oembed, opengraph, values
from library.found import FoundVideo, told_apart

MAX_LINKS = 500
FEED_TYPES = ("application/rss+xml", "application/atom+xml")


@dataclass(frozen=True)
class Reading:
    """What a document holds. `oembed` is an address that may describe the page's video better."""

    videos: tuple[FoundVideo, ...] = ()
    links: tuple[str, ...] = ()
    oembed: str | None = None


def read(body: bytes, url: str) -> Reading:
    """Read a page found at `url`; links are in the order of the page, each once."""
    page = LexborHTMLParser(body)
    described = jsonld.videos(page, url)
    graph = opengraph.video(page, url)
    if graph and len(described) <= 1:
        described = [described[0].completed_by(graph)] if described else [graph]
    return Reading(told_apart(described), _links(page, url), None if described else oembed.endpoint(page, url))


def _links(page: LexborHTMLParser, url: str) -> tuple[str, ...]:
    base = page.css_first("base[href]")
    start = (values.web_address(base.attributes.get("href"), url) if base else None) or url
    feeds = [node for node in page.css("link[href]") if node.attributes.get("type") in FEED_TYPES]
    nodes = [*feeds, *page.css("a[href]")][:MAX_LINKS]
    addresses = (values.web_address(node.attributes.get("href"), start) for node in nodes)
    return tuple(dict.fromkeys(address for address in addresses if address))
