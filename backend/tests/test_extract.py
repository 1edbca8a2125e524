import json
import random

import pytest

from library import oembed, pages, values

URL = "https://site.example/watch/one"


def page(head: str) -> bytes:
    return f"<html><head>{head}</head><body></body></html>".encode()


def jsonld(*objects: object) -> bytes:
    return page("".join(f'<script type="application/ld+json">{json.dumps(each)}</script>' for each in objects))


def test_jsonld() -> None:
    (video,) = pages.read(
        jsonld({
            "@context": "https://schema.org", "@type": "VideoObject", "name": "A &amp; B",
            "description": "<b>Bold</b> text",
            "thumbnailUrl": ["../t.jpg"], "contentUrl": "/v.mp4", "uploadDate": "2026-03-01T10:00:00+02:00",
            "duration": "PT1M30S", "genre": ["Film"], "keywords": "one, two,one",
        }), URL,
    ).videos  # fmt: skip
    assert (video.url, video.title, video.description) == (URL, "A & B", "Bold text")
    assert (video.media_url, video.thumbnail_url) == ("https://site.example/v.mp4", "https://site.example/t.jpg")
    assert (video.duration, video.published) == (90, "2026-03-01T08:00:00Z")
    assert (video.category, video.tags) == ("Film", ("one", "two"))


def test_jsonld_in_a_graph_under_an_article_and_as_one_of_two_types() -> None:
    inner = {"@type": ["VideoObject", "LearningResource"], "name": "Inner", "thumbnailUrl": {"url": "/i.jpg"}}
    (video,) = pages.read(jsonld({"@graph": [{"@type": "Article", "video": inner}]}), URL).videos
    assert (video.title, video.thumbnail_url) == ("Inner", "https://site.example/i.jpg")


def test_two_videos_of_one_page_are_told_apart() -> None:
    videos = pages.read(jsonld(*({"@type": "VideoObject", "name": name} for name in "ab")), URL).videos
    assert [video.url for video in videos] == [URL, f"{URL}#video-2"]


def test_a_page_cannot_speak_for_another_site() -> None:
    foreign = {"@type": "VideoObject", "name": "x", "url": "https://other.example/v"}
    assert pages.read(jsonld(foreign), URL).videos[0].url == URL


def test_opengraph_and_how_it_completes_jsonld() -> None:
    graph = "".join(
        f'<meta property="{name}" content="{content}">'
        for name, content in [("og:type", "video.movie"), ("og:title", "From the graph"), ("og:video", "/v.mp4"),
                              ("og:image", "/i.jpg"), ("video:duration", "61"), ("video:tag", "a"), ("video:tag", "b")]
    )  # fmt: skip
    (alone,) = pages.read(page(graph), URL).videos
    assert (alone.title, alone.media_url, alone.duration, alone.tags) == (
        "From the graph", "https://site.example/v.mp4", 61, ("a", "b"),
    )  # fmt: skip
    both = page(graph + '<script type="application/ld+json">{"@type":"VideoObject","name":"From JSON"}</script>')
    (video,) = pages.read(both, URL).videos
    assert (video.title, video.duration) == ("From JSON", 61)


def test_an_embedded_player_is_no_media_file() -> None:
    head = (
        '<meta property="og:title" content="x"><meta property="og:video" content="/player">'
        '<meta property="og:video:type" content="text/html">'
    )
    assert pages.read(page(head), URL).videos[0].media_url is None


def test_oembed() -> None:
    link = '<link rel="alternate" type="application/json+oembed" href="/o.json">'
    reading = pages.read(page(link), URL)
    assert (reading.videos, reading.oembed) == ((), "https://site.example/o.json")
    answer = {"type": "video", "title": "E", "html": '<video><source src="/e.mp4"></video>', "duration": 9}
    video = oembed.video(json.dumps(answer).encode(), URL, "https://site.example/o.json")
    assert video and (video.url, video.media_url, video.duration) == (URL, "https://site.example/e.mp4", 9)
    assert oembed.video(b'{"type": "photo", "title": "E"}', URL, URL) is None
    for bad in (b"[]", b"{", b"[" * 100_000):
        with pytest.raises(ValueError):
            oembed.video(bad, URL, URL)


def test_links_are_absolute_and_of_the_web() -> None:
    body = b'<base href="/x/"><a href="y">1</a><a href="mailto:a@b">2</a><a href="y#z">3</a><a href="http://[">4</a>'
    assert pages.read(body, URL).links == ("https://site.example/x/y",)


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "http://", "http://a:99999/", "http://u:p@h/", "//", "", None, 7,
     "http://a b/", "http://h/" + "x" * 3000],
)  # fmt: skip
def test_what_is_no_web_address(address: object) -> None:
    assert values.web_address(address) is None


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("PT1H2M3S", 3723), ("P1DT1S", 86401), ("1:02:03", 3723), ("2:03", 123), ("61", 61), (61.4, 61), ("PT", None),
     ("PT0S", None), ("-5", None), (True, None), ("PT99999999S", None), ([], None)],
)  # fmt: skip
def test_durations(written: object, seconds: int | None) -> None:
    assert values.seconds(written) == seconds


@pytest.mark.parametrize(
    ("written", "moment"),
    [("2026-01-31", "2026-01-31T00:00:00Z"), ("Sat, 31 Jan 2026 12:00:00 +0100", "2026-01-31T11:00:00Z"),
     ("0001-01-01T00:00:00+10:00", None), ("soon, very soon", None), (20260131, None)],
)  # fmt: skip
def test_dates(written: object, moment: str | None) -> None:
    assert values.moment(written) == moment


def test_nothing_that_a_page_says_raises() -> None:
    dice = random.Random(1)
    odd: list[object] = [None, 0, -1, 1e308, True, "", "\ud800", "x" * 9000, [], {}, [[]], [None], {"url": []},
                         "http://[", "\x00"]  # fmt: skip
    names = ("name", "description", "thumbnailUrl", "contentUrl", "uploadDate", "duration", "genre", "keywords", "url")
    for _ in range(500):
        node = {"@type": "VideoObject", "name": "n"} | {name: dice.choice(odd) for name in dice.sample(names, 5)}
        for video in pages.read(jsonld(node), URL).videos:
            video.title.encode()
            json.dumps(video.tags)
    for body in (b"", b"<" * 10_000, b"\xff\xfe\x00", b"<script type='application/ld+json'>" + b"[" * 100_000):
        assert pages.read(body, URL).videos == ()
