"""One improvement walks through every arrow on the bundled site, and a commit with a migration ships, while visitors
read and write all the time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from bundled_site import Tree, live_data, quick_tests, visit
from visitors import Visitors

from aiimprove.snapshot import rows

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from bench.site import Site

pytestmark = [pytest.mark.site, pytest.mark.browser]
MIGRATION = b"CREATE INDEX usage_events_by_video ON usage_events (video_id);\n"
PICTURE = "AIIMPROVE_PICTURE"
BAITS = ("a change that does nothing", "a test that skips itself", "a test that is gone", "code that knows the probe")


@pytest.fixture(scope="module", autouse=True)
def quick(site: Site) -> Iterator[None]:
    with quick_tests(site):
        yield


@pytest.fixture
def visitors(site: Site) -> Iterator[Visitors]:
    with Visitors({name: site.url(name) for name in ("backend", "frontend")}) as found:
        yield found


def encoding(site: Site, environment: str = "live") -> str:
    answer = visit(site, "/api/videos", environment=environment, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    return answer.headers.get("Content-Encoding", "")


def status_of(site: Site, name: str) -> str:
    return str(site.improvement(name)["status"])


def test_one_improvement_walks_through_every_arrow(site: Site, chromium: Browser, visitors: Visitors) -> None:
    mine, before = Tree.of(site), site.must("status")["live_release"]
    name = analyzed(site)
    assert site.must("generate", name)["improvement"]["status"] == "GENERATED"
    assert site.must("test", name)["improvement"]["status"] == "VERIFIED"
    tests = next(check for check in site.improvement(name)["checks"] if check["name"] == "tests")
    assert "failed before" not in str(tests), "some of the site's own tests do not pass in the box"
    replay = next(check for check in site.improvement(name)["checks"] if check["name"] == "replay")
    assert replay["verdict"] == "passed", "visitors were recorded at the gateway"
    assert "of them write" in replay["summary"] and " 0 recorded" not in replay["summary"]
    assert site.must("request-approval", name)["improvement"]["status"] == "AWAITING_APPROVAL"
    gate = site.must("status")["gate"]
    assert gate["word"] == "open" and all(bait in gate["why"] for bait in BAITS), gate["why"]
    dev_shows(site, name)
    assert encoding(site) == "" and status_of(site, name) == "AWAITING_APPROVAL"

    page = signed_in(site, chromium)
    approve_by_click(site, page, name)
    site.must("deploy", token=True)
    page.locator("[data-testid=ai-progress][data-step=live]").wait_for(timeout=30_000)
    assert status_of(site, name) == "LIVE" and encoding(site) == "gzip"
    page.context.close()

    site.must("rollback", token=True)
    assert status_of(site, name) == "ROLLED_BACK" and encoding(site) == ""
    assert site.must("status")["live_release"] == before
    assert site.must("rollback", token=True)["deployment"] is None
    assert site.must("status")["live_release"] == before

    visitors.leave()
    visitors.must_have_lost_nothing(live_data(site) / "library.db")
    assert Tree.of(site) == mine
    told = [event["name"] for event in site.improvement(name)["events"] if event["name"] != "improvement.noted"]
    assert told == [f"improvement.{each}" for each in ("proposed", "generated", "verified", "awaiting_approval",
                                                       "approved", "live", "rolled_back")]
    assert site.must("audit", "--verify") is not None


def analyzed(site: Site) -> str:
    """What a first look finds; the improvement that this walk is about."""
    site.must("analyze")
    found = site.must("status")["improvements"]
    assert {each["kind"] for each in found} >= {"performance", "bug", "security"}
    return next(str(each["id"]) for each in found if each["id"].startswith("no-compression"))


def dev_shows(site: Site, name: str) -> None:
    assert site.must("preview")["improvement"] == name
    answer = visit(site, "/api/videos", environment="dev", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["X-Aiimprove-Dev"] == f"improvement {name}"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert visit(site, "/", "frontend", "dev").headers["X-Aiimprove-Dev"] == f"improvement {name}"


def signed_in(site: Site, chromium: Browser) -> Page:
    page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(str(site.must("operator", "link", token=True)["url"]))
    return page


def approve_by_click(site: Site, page: Page, name: str) -> None:
    page.get_by_test_id("ai-button").click(timeout=30_000)
    panel = page.get_by_test_id("ai-panel")
    panel.get_by_test_id("ai-diff").wait_for()
    told = panel.inner_text()
    card = site.improvement(name)
    assert card["title"] in told and all(check["name"] in told for check in card["checks"])
    assert card["before"] in told and card["after"] in told and all(gap in told for gap in card["not_checked"])
    if os.environ.get(PICTURE):
        page.screenshot(path=os.environ[PICTURE])
    panel.get_by_test_id("ai-approve").click()
    page.get_by_test_id("ai-progress").wait_for()
    assert status_of(site, name) == "APPROVED"


def test_a_commit_with_a_migration_ships_and_is_taken_back(site: Site, visitors: Visitors) -> None:
    site.git("merge", "-q", "--no-edit", "aiimprove/live")
    file = "backend/migrations/0004_usage_events_by_video.sql"
    (site.folder / file).write_bytes(MIGRATION)
    site.git("add", file)
    site.git("commit", "-q", "-m", "an index for usage events", "--", file)
    mine, data, before = Tree.of(site), live_data(site) / "library.db", site.must("status")["live_release"]
    counted = rows(data)

    deployment = site.must("deploy", "HEAD", token=True)["deployment"]
    assert site.must("status")["live_commit"] == mine.head
    assert "usage_events_by_video" in names_of_indexes(data)
    must_be_backed_up(site, deployment["id"], counted)

    site.must("rollback", token=True)
    assert site.must("status")["live_release"] == before
    assert "usage_events_by_video" in names_of_indexes(data), "data is never rolled back"
    made = visit(site, "/api/playlists", headers={"Accept": "application/json"})
    assert made.status_code == 200
    visitors.leave()
    visitors.must_have_lost_nothing(data)
    after = rows(data)
    assert all(after[table] >= count for table, count in counted.items())
    assert Tree.of(site) == mine


def names_of_indexes(database: Path) -> set[str]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}


def must_be_backed_up(site: Site, deployment: str, counted: dict[str, int]) -> None:
    """The backup is the data as it was before: whole, without the migration, with every row of then."""
    told: list[dict[str, Any]] = site.must("audit", "--json")["events"]
    (event,) = [each for each in told if each["name"] == "data.backed_up" and each["subject"] == deployment]
    folder = Path(event["body"]["folder"])
    assert folder == site.state / "backups" / deployment
    copy = folder / "library.db"
    with closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert "usage_events_by_video" not in names_of_indexes(copy)
    kept = rows(copy)
    assert all(kept[table] >= count for table, count in counted.items())
