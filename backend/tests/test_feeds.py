from pathlib import Path

import pytest

from library import documents, feeds
from library.fetcher import Document

URL = "https://site.example/list/feed.xml"
RSS = """<?xml version="1.0"?><!-- made by hand --><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel>
<item><title>One &amp; only</title><link>/one</link><pubDate>Sat, 31 Jan 2026 12:00:00 GMT</pubDate>
<category>Film</category><description>&lt;p&gt;Text&lt;/p&gt;</description>
<media:content url="one.mp4" type="video/mp4" duration="12"/><media:thumbnail url="one.jpg"/>
<media:keywords>a, b</media:keywords></item>
<item><title>Podcast film</title><link>/two</link><enclosure url="/two.webm" type="video/webm" length="1"/></item>
<item><title>Only a page</title><link>/three</link></item></channel></rss>"""
SITEMAP = """<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:video="http://www.google.com/schemas/sitemap-video/1.1">
<url><loc>/one</loc><video:video><video:title>One</video:title><video:content_loc>/1.mp4</video:content_loc>
<video:duration>12</video:duration><video:tag>a</video:tag><video:tag>b</video:tag></video:video></url>
<url><loc>https://site.example/two</loc></url><url><loc>http://[</loc></url></urlset>"""
BOMB = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY f SYSTEM "file:///etc/passwd">]>"""


def document(body: str, content_type: str = "text/xml") -> Document:
    return Document(URL, 200, content_type, body.encode())


def test_media_rss() -> None:
    reading = documents.read(document(RSS))
    one, two = reading.videos
    assert (one.url, one.title, one.description) == ("https://site.example/one", "One & only", "Text")
    assert (one.media_url, one.thumbnail_url) == (
        "https://site.example/list/one.mp4", "https://site.example/list/one.jpg",
    )  # fmt: skip
    assert (one.duration, one.published) == (12, "2026-01-31T12:00:00Z")
    assert (one.category, one.tags) == ("Film", ("a", "b"))
    assert two.media_url == "https://site.example/two.webm"
    assert reading.links == ("https://site.example/three",)


def test_atom_leads_to_its_pages() -> None:
    atom = '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>t</title><link href="/p"/></entry></feed>'
    assert documents.read(document(atom)).links == ("https://site.example/p",)


def test_video_sitemap() -> None:
    reading = documents.read(document(SITEMAP, "text/html"))
    (video,) = reading.videos
    assert (video.url, video.media_url, video.duration, video.tags) == (
        "https://site.example/one", "https://site.example/1.mp4", 12, ("a", "b"),
    )  # fmt: skip
    assert reading.links == ("https://site.example/two",)


def test_a_sitemap_index_leads_on() -> None:
    index = (
        '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        "<sitemap><loc>/a.xml</loc></sitemap></sitemapindex>"
    )
    assert documents.read(document(index)).links == ("https://site.example/a.xml",)


@pytest.mark.parametrize("body", [SITEMAP[:200], BOMB + SITEMAP, "<rss>broken", "<urlset>&nothing;</urlset>"])
def test_a_broken_or_hostile_list_gives_nothing_but_a_reason(body: str) -> None:
    try:
        assert documents.read(document(body)).videos == ()
    except ValueError as error:
        assert str(error)


def test_a_feed_cannot_read_a_file_or_expand_without_end() -> None:
    rss = RSS.replace('<?xml version="1.0"?>', BOMB).replace("One &amp; only", "&b;&f;")
    for video in documents.read(document(rss)).videos:
        assert "root:" not in video.title and len(video.title) < 200


def test_the_name_of_a_file_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(RSS)
    with pytest.raises(ValueError, match="not a readable feed"):
        feeds.read(str(tmp_path / "feed.xml").encode(), URL)


def test_a_film_is_not_parsed() -> None:
    assert documents.read(document(RSS, "video/mp4")).videos == ()
