import threading

from conftest import Site

from library.crawl import Bounds, Crawl, Visit
from library.fetcher import Fetcher

QUICK = Bounds(pause=0)


def video(name: str) -> str:
    return f'<script type="application/ld+json">{{"@type": "VideoObject", "name": "{name}"}}</script>'


def visits(site: Site, fetcher: Fetcher, start: str = "/", bounds: Bounds = QUICK) -> dict[str, Visit]:
    found = Crawl(fetcher, site.base + start, threading.Event(), bounds).visits()
    return {visit.url.removeprefix(site.base): visit for visit in found}


def test_one_bad_page_never_stops_a_crawl(site: Site, fetcher: Fetcher) -> None:
    links = "".join(f'<a href="/{name}">x</a>' for name in ("gone", "hang-up", "map", "large", "good"))
    site.page("/", links)
    site.answers["/hang-up"] = lambda request: request.connection.close()
    site.page("/map", "<urlset>", "text/xml")
    site.page("/large", "x" * 60_000)
    site.page("/good", video("Good"))
    found = visits(site, fetcher)
    assert [path for path, visit in found.items() if visit.error] == ["/gone", "/hang-up", "/map", "/large"]
    assert found["/good"].videos[0].title == "Good"


def test_a_crawl_stays_on_its_site_and_obeys_robots(site: Site, fetcher: Fetcher) -> None:
    site.page("/robots.txt", "User-agent: *\nDisallow: /secret\nCrawl-delay: 0")
    site.page("/", '<a href="http://elsewhere.example/">x</a><a href="/secret">x</a><a href="/out">x</a>')
    site.answers["/out"] = (302, {"Location": "/secret"}, b"")
    found = visits(site, fetcher)
    assert found["/secret"].forbidden and found["/out"].forbidden
    assert set(found) == {"/", "/secret", "/out"}
    assert "/secret" not in site.asked


def test_depth_and_count_are_bounded(site: Site, fetcher: Fetcher) -> None:
    for number in range(20):
        site.page(f"/{number}", f'<a href="/{number + 1}">x</a>')
    assert len(visits(site, fetcher, "/0", Bounds(depth=3, pause=0))) == 4
    site.page("/", "".join(f'<a href="/{number}">x</a>' for number in range(20)))
    assert len(visits(site, fetcher, "/", Bounds(pages=7, pause=0))) == 7
    assert visits(site, fetcher, "/", Bounds(seconds=-1)) == {}


def test_a_stop_ends_a_crawl_between_two_pages(site: Site, fetcher: Fetcher) -> None:
    site.page("/", '<a href="/1">x</a>')
    stop = threading.Event()
    found = Crawl(fetcher, f"{site.base}/", stop, Bounds(pause=60)).visits()
    assert next(found).url == f"{site.base}/"
    stop.set()
    assert list(found) == []


def test_oembed_is_asked_only_when_the_page_says_nothing(site: Site, fetcher: Fetcher) -> None:
    link = '<link rel="alternate" type="application/json+oembed" href="/o">'
    site.page("/", link)
    site.page("/o", '{"type": "video", "title": "From oEmbed"}', "application/json")
    site.page("/rich", link + video("From the page"))
    assert visits(site, fetcher)["/"].videos[0].title == "From oEmbed"
    site.asked.clear()
    assert visits(site, fetcher, "/rich")["/rich"].videos[0].title == "From the page"
    assert "/o" not in site.asked
