import time

import pytest
from conftest import Site

from library.fetcher import Fetcher
from library.robots import Disallowed, Robots, matches, parse

FILE = """
User-agent: other
Disallow: /

User-agent: *
User-agent: VideoLibraryBot   # us
Disallow: /private/
Allow: /private/open
Disallow: /*.pdf$
Disallow:
Crawl-delay: 0.5
Sitemap: https://x.example/s.xml
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/", True), ("/private/x", False), ("/private/open/x", True), ("/a/b.pdf", False), ("/a/b.pdf?x", True)],
)
def test_the_longest_rule_decides(path: str, allowed: bool) -> None:
    assert parse(FILE).allows(path) is allowed


def test_our_own_group_is_preferred() -> None:
    rules = parse("User-agent: *\nDisallow: /\n\nUser-agent: videolibrarybot\nDisallow: /x\n")
    assert rules.allows("/y") and not rules.allows("/x")


def test_a_file_of_nonsense_forbids_nothing() -> None:
    for body in ("", "<html>", "Disallow: /", ":::\n\x00", "User-agent: *\nCrawl-delay: soon\nDisallow"):
        assert parse(body).allows("/")
    assert parse("User-agent: *\nCrawl-delay: nan").delay is None


@pytest.mark.parametrize(
    ("pattern", "path", "matched"),
    [("/a", "/ab", True), ("/a$", "/ab", False), ("/a$", "/a", True), ("/*/c", "/a/b/c/d", True), ("*", "/", True),
     ("/a*a$", "/a", False), ("/a*b*c$", "/axbxc", True), ("/a*b*c$", "/axbxcx", False)],
)  # fmt: skip
def test_patterns(pattern: str, path: str, matched: bool) -> None:
    assert matches(pattern, path) is matched


def test_a_hostile_pattern_takes_no_time() -> None:
    begun = time.monotonic()
    assert not matches("/" + "*a" * 200 + "$", "/" + "a" * 2000 + "b")
    assert time.monotonic() - begun < 2


def test_rules_are_read_once_and_bound_the_delay(site: Site, fetcher: Fetcher) -> None:
    site.page("/robots.txt", "User-agent: *\nDisallow: /no\nCrawl-delay: 3600")
    robots = Robots(fetcher)
    robots.require(f"{site.base}/yes")
    with pytest.raises(Disallowed):
        robots.require(f"{site.base}/no")
    assert robots.delay(site.base) == 5.0
    assert site.asked == ["/robots.txt"]


@pytest.mark.parametrize(("status", "allowed"), [(404, True), (403, True), (500, False), (503, False)])
def test_a_missing_file_allows_and_a_failing_site_forbids(
    site: Site, fetcher: Fetcher, status: int, allowed: bool
) -> None:
    site.answers["/robots.txt"] = (status, {}, b"")
    assert Robots(fetcher).rules(site.base).allows("/") is allowed
