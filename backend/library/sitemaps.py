"""Video sitemaps, and the indexes that list sitemaps."""

from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

from library import values
from library.found import FoundVideo, told_apart
from library.pages import Reading

SITE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
VIDEO = "{http://www.google.com/schemas/sitemap-video/1.1}"
MAX_ENTRIES = 1000


def read(body: bytes, url: str) -> Reading:
    """The sitemap's videos; what it lists without a video is a link. Raises ValueError when it cannot be read."""
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException) as error:
        raise ValueError(f"not a readable sitemap: {error}") from error
    videos: list[FoundVideo] = []
    links: list[str] = []
    for entry in [*root.iterfind(f"{SITE}url"), *root.iterfind(f"{SITE}sitemap")][:MAX_ENTRIES]:
        page = values.web_address(entry.findtext(f"{SITE}loc"), url)
        if page is None:
            continue
        found = [video for node in entry.iterfind(f"{VIDEO}video") if (video := _video(node, page, url))]
        videos += found
        links += [] if found else [page]
    return Reading(told_apart(videos), tuple(dict.fromkeys(links)))


def _video(node: Element, page: str, sitemap: str) -> FoundVideo | None:
    title = values.text(node.findtext(f"{VIDEO}title"), values.MAX_TITLE)
    if not title:
        return None
    return FoundVideo(
        url=page,
        title=title,
        description=values.text(node.findtext(f"{VIDEO}description"), values.MAX_DESCRIPTION),
        media_url=values.web_address(node.findtext(f"{VIDEO}content_loc"), sitemap),
        thumbnail_url=values.web_address(node.findtext(f"{VIDEO}thumbnail_loc"), sitemap),
        duration=values.seconds(node.findtext(f"{VIDEO}duration")),
        published=values.moment(node.findtext(f"{VIDEO}publication_date")),
        category=values.text(node.findtext(f"{VIDEO}category"), values.MAX_TAG) or None,
        tags=values.labels([tag.text for tag in node.iterfind(f"{VIDEO}tag")]),
    )
