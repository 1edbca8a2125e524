import sqlite3
import threading
import time
from collections.abc import Callable

import pytest
from conftest import Site

from library import catalogue, crawls, lease, sources
from library.crawl import Bounds
from library.crawler import LEASE, Crawler
from library.database import Database
from library.found import FoundVideo
from library.guard import Guard
from library.models import Crawl

VIDEO = '<script type="application/ld+json">{"@type": "VideoObject", "name": "V"}</script>'


@pytest.fixture
def asked(database: Database, site: Site) -> int:
    with database.writing() as connection:
        source_id, _ = sources.add(connection, f"{site.base}/")
        return crawls.ask(connection, source_id, f"{site.base}/")


@pytest.fixture
def crawler(database: Database, site: Site) -> Crawler:
    return Crawler(database, Guard(frozenset({site.host})), Bounds(pause=0))


def outcome(database: Database, crawl_id: int) -> Crawl:
    with database.reading() as connection:
        crawl = crawls.find(connection, crawl_id)
    assert crawl
    return crawl


def eventually(condition: Callable[[], bool], deadline: float = 15.0) -> None:
    until, pause = time.monotonic() + deadline, threading.Event()
    while not condition():
        assert time.monotonic() < until, "not in time"
        pause.wait(0.02)


def test_a_queued_crawl_is_performed_and_recorded(
    database: Database, site: Site, crawler: Crawler, asked: int
) -> None:
    site.page("/", f'<a href="/gone">x</a>{VIDEO}')
    crawler.start()
    eventually(lambda: outcome(database, asked).status == "done" and idle(database))
    crawl = outcome(database, asked)
    assert (crawl.pages, crawl.added, crawl.failed, crawl.skipped) == (1, 1, 1, 0)
    assert crawl.errors[0].url == f"{site.base}/gone"
    crawler.stop()
    assert not crawler.alive


def test_a_site_that_is_down_fails_the_crawl(database: Database, crawler: Crawler, asked: int, site: Site) -> None:
    site.answers["/robots.txt"] = (500, {}, b"")
    crawler.perform_queued()
    assert outcome(database, asked).status == "failed"


def test_stopping_hands_the_crawl_to_the_next_process(
    database: Database, site: Site, asked: int, crawler: Crawler
) -> None:
    site.page("/", '<a href="/1">x</a>')
    site.page("/1", "")
    slow = Crawler(database, Guard(frozenset({site.host})), Bounds(pause=60))
    slow.start()
    eventually(lambda: outcome(database, asked).pages == 1)
    slow.stop()
    assert outcome(database, asked).status == "queued"
    crawler.perform_queued()
    assert (outcome(database, asked).status, outcome(database, asked).pages) == ("done", 2)


def test_the_crawl_of_a_dead_process_is_begun_again(
    database: Database, site: Site, asked: int, crawler: Crawler
) -> None:
    with database.writing() as connection:
        assert lease.acquire(connection, LEASE, "dead", at=0.0)
        assert crawls.claim(connection, "dead")
    site.page("/", "")
    crawler.perform_queued()
    assert outcome(database, asked).status == "done"


def test_a_crawl_that_always_kills_its_process_is_given_up(database: Database, asked: int) -> None:
    with database.writing() as connection:
        claimed = [crawls.claim(connection, "doomed") for _ in range(crawls.MAX_ATTEMPTS)]
        assert all(claimed)
        assert crawls.claim(connection, "doomed") is None
    assert outcome(database, asked).status == "failed"


def test_while_another_holds_the_lease_nothing_is_crawled(
    database: Database, asked: int, crawler: Crawler, site: Site
) -> None:
    with database.writing() as connection:
        assert lease.acquire(connection, LEASE, "the other release")
    crawler.perform_queued()
    assert (outcome(database, asked).status, site.asked) == ("queued", [])
    with database.reading() as connection:
        assert lease.holder(connection, LEASE) == "the other release"


def test_a_lease_runs_out_and_a_late_holder_cannot_renew(database: Database) -> None:
    with database.writing() as connection:
        assert lease.acquire(connection, "x", "a", at=100.0)
        assert lease.acquire(connection, "x", "a", at=110.0)
        assert not lease.acquire(connection, "x", "b", at=110.0 + lease.SECONDS)
        assert lease.acquire(connection, "x", "b", at=110.1 + lease.SECONDS)
        with pytest.raises(lease.LeaseLost):
            lease.renew(connection, "x", "a")
        lease.release(connection, "x", "a")
        assert lease.holder(connection, "x", at=120.0) == "b"


def test_asking_twice_queues_once(database: Database, asked: int) -> None:
    with database.writing() as connection:
        (source,) = sources.every(connection)
        assert crawls.ask(connection, source.id, source.url) == asked


def test_another_source_completes_but_does_not_overwrite(database: Database) -> None:
    first = FoundVideo("https://a.example/1", "Original", tags=("a",))
    second = FoundVideo("https://a.example/1", "Usurper", description="News", tags=("b",))
    with database.writing() as connection:
        one, _ = sources.add(connection, "https://a.example/")
        two, _ = sources.add(connection, "https://b.example/")
        assert catalogue.keep(connection, first, one) == "added"
        assert catalogue.keep(connection, first, one) == "unchanged"
        assert catalogue.keep(connection, second, two) == "updated"
        video = catalogue.find(connection, 1)
        assert video and (video.title, video.description, video.tags) == ("Original", "News", ["a"])


def test_errors_of_a_crawl_are_bounded(database: Database, asked: int) -> None:
    with database.writing() as connection:
        for _ in range(crawls.MAX_ERRORS + 5):
            crawls.complain(connection, asked, "https://a.example/", "x" * 5000)
    crawl = outcome(database, asked)
    assert (len(crawl.errors), crawl.failed) == (crawls.MAX_ERRORS, crawls.MAX_ERRORS + 5)


def test_a_deleted_source_is_not_crawled_on(database: Database, site: Site, asked: int) -> None:
    site.page("/", '<a href="/1">x</a>')
    site.page("/1", VIDEO)
    crawler = Crawler(database, Guard(frozenset({site.host})), Bounds(pause=0.5))
    crawler.start()
    eventually(lambda: outcome(database, asked).pages == 1)
    with database.writing() as connection:
        (source,) = sources.every(connection)
        sources.delete(connection, source.id)
    eventually(lambda: "/1" in site.asked and idle(database))
    crawler.stop()
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM videos").fetchone()[0] == 0


def idle(database: Database) -> bool:
    with database.reading() as connection:
        return lease.holder(connection, LEASE) is None


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError), database.writing() as connection:
        sources.add(connection, "https://a.example/")
        connection.execute("INSERT INTO sources (url, added) VALUES ('https://a.example/', '')")
    with database.reading() as connection:
        assert sources.every(connection) == []
