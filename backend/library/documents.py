"""Which kind of document came, told by its first element: servers often name the wrong type."""

import re

from library import feeds, pages, sitemaps
from library.fetcher import Document
from library.pages import Reading

PROLOGUE = re.compile(
    rb"(?:\s|<\?[^>]{0,500}\?>|<!--(?:[^-]|-[^-]){0,2000}-->|<!DOCTYPE[^>\[]{0,300}>)*", re.IGNORECASE
)
ROOT = re.compile(rb"<([A-Za-z:]{1,20})")
READERS = {b"urlset": sitemaps.read, b"sitemapindex": sitemaps.read}
READERS |= {b"rss": feeds.read, b"feed": feeds.read, b"rdf:rdf": feeds.read}
READABLE = ("text/", "application/xml", "application/xhtml", "application/rss", "application/atom", "application/json")


def read(document: Document) -> Reading:
    """The videos and links of a document. Raises ValueError when it cannot be read."""
    if document.content_type and not document.content_type.lower().startswith(READABLE):
        return Reading()
    head = document.body[:8192].removeprefix(b"\xef\xbb\xbf")
    prologue = PROLOGUE.match(head)
    root = ROOT.match(head, prologue.end() if prologue else 0)
    reader = READERS.get(root.group(1).lower(), pages.read) if root else pages.read
    return reader(document.body, document.url)
