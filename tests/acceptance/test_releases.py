"""Releases that do not get live, or do not stay: the site serves on, and nobody's request is lost."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from bundled_site import Tree, adjusted, begun, ended, live_data, processes_of, quick_tests, visit
from candidates import commit, improvement, live_text, shown_by
from visitors import Visitors

from aiimprove.improvement import Status

if TYPE_CHECKING:
    from bench.site import Site

pytestmark = pytest.mark.site
LONG_WATCH = {"watch_seconds": 60}
ENTRY = "backend/main_enhanced.py"
TURNS_BAD = """

@app.middleware("http")
async def turn_bad(request: Request, call_next):
    turned = Path(os.environ["VIDEO_LIBRARY_DB"]).with_name("turned-bad").exists()
    if turned and (request.url.path == "/health") == {health}:
        return JSONResponse({{"detail": "turned bad"}}, status_code=500)
    return await call_next(request)
"""


@pytest.fixture
def visitors(site: Site) -> Iterator[Visitors]:
    with Visitors({name: site.url(name) for name in ("backend", "frontend")}) as found:
        yield found


@pytest.fixture(autouse=True)
def undisturbed(site: Site) -> Iterator[None]:
    """Whatever becomes of a release: the tree of the person stays, and one release serves."""
    mine = Tree.of(site)
    yield
    assert Tree.of(site) == mine
    status = site.must("status")
    assert status["deploying"] is None and visit(site, "/", "frontend").status_code == 200
    assert site.git("rev-parse", "aiimprove/live") == status["live_commit"]


def shown(site: Site, name: str) -> bool:
    return visit(site, f"/demo/{name}.txt").status_code == 200


def until_shown(site: Site, name: str, seconds: float = 60) -> None:
    from bench.site import until

    until(lambda: shown(site, name), seconds, f"{name} is not to be seen")


def until_hidden(site: Site, name: str, seconds: float) -> None:
    from bench.site import until

    until(lambda: not shown(site, name), seconds, f"{name} is still to be seen")


def status_of(site: Site, name: str) -> str:
    return str(site.improvement(name)["status"])


def test_a_commit_that_fails_its_tests_is_not_shipped(site: Site) -> None:
    before, path = site.must("status")["live_release"], "backend/library/search.py"
    bad = commit(site, {path: live_text(site, path).replace('for word in found) + "*"', 'for word in found)').encode()})
    with quick_tests(site):
        refused = site.run("deploy", bad, token=True)
    told = refused["errors"][0]["message"]
    assert refused["exit_code"] == 4 and "tests that passed fail" in told and "Nothing was shipped" in told
    assert site.must("status")["live_release"] == before


def test_a_commit_that_lacks_what_is_live_is_refused(site: Site) -> None:
    stranger = site.git("commit-tree", "aiimprove/live^{tree}", "-m", "from nowhere")
    refused = site.run("deploy", stranger, token=True)
    assert refused["exit_code"] == 3 and "git merge aiimprove/live" in refused["errors"][0]["message"]
    assert site.run("deploy", "no-such-branch", token=True)["exit_code"] == 7


@pytest.mark.parametrize("health", [True, False], ids=["its health fails", "it answers 500"])
def test_a_release_that_turns_bad_is_taken_back_by_itself(site: Site, health: bool) -> None:
    name, before = f"turns-bad-{health}".lower(), site.must("status")["live_release"]
    entry = (live_text(site, ENTRY) + TURNS_BAD.format(health=health)).encode()
    improvement(site, name, Status.APPROVED, {ENTRY: entry, **shown_by(name)})
    marker = live_data(site) / "turned-bad"
    with adjusted(site, deploy=LONG_WATCH):
        child = begun(site, "deploy", name)
        until_shown(site, name)
        marker.touch()
        pressed(site, child)
        failed = ended(child)
        marker.unlink()
    assert failed["exit_code"] == 5 and "was taken back" in failed["errors"][0]["message"]
    assert status_of(site, name) == "ROLLED_BACK" and not shown(site, name)
    assert site.must("status")["live_release"] == before
    assert all(visit(site, "/api/videos").status_code == 200 for _ in range(20))


def pressed(site: Site, child: subprocess.Popen[str]) -> None:
    """Visitors come until the deployment has ended."""
    from bench.site import until

    until(lambda: visit(site, "/api/videos") and child.poll() is not None, 60, "the bad release is still watched")


def test_a_deploy_killed_after_the_switch_goes_back_and_can_be_repeated(site: Site, visitors: Visitors) -> None:
    name, before = "killed", site.must("status")["live_release"]
    improvement(site, name, Status.APPROVED)
    with adjusted(site, deploy=LONG_WATCH):
        child = begun(site, "deploy", name)
        until_shown(site, name)
        child.kill()
        child.wait()
        since = time.monotonic()
        until_hidden(site, name, 20)
        assert time.monotonic() - since > 2, "went back before the lease was over: somebody else did it"
    assert status_of(site, name) == "APPROVED" and site.must("status")["live_release"] == before

    assert site.must("deploy", name, token=True)["deployment"]["status"] == "COMMITTED"
    assert status_of(site, name) == "LIVE" and shown(site, name)
    statuses = [event["name"] for event in site.must("audit")["events"] if event["name"].startswith("deployment.")]
    assert "deployment.aborted" in statuses and statuses[-1] == "deployment.committed"
    visitors.leave()
    visitors.must_have_lost_nothing(live_data(site) / "library.db")


def test_a_rollback_takes_a_watched_release_back_at_once(site: Site, visitors: Visitors) -> None:
    name, before = "watched", site.must("status")["live_release"]
    improvement(site, name, Status.APPROVED)
    with adjusted(site, deploy=LONG_WATCH):
        child = begun(site, "deploy", name)
        until_shown(site, name)
        assert site.run("deploy", name, token=True)["exit_code"] == 6
        assert site.must("rollback", token=True)["deployment"]["status"] == "ABORTED"
        assert not shown(site, name)
        assert ended(child)["exit_code"] == 5
    assert status_of(site, name) == "ROLLED_BACK" and site.must("status")["live_release"] == before
    visitors.leave()
    visitors.must_have_lost_nothing(live_data(site) / "library.db")


def test_of_two_deploys_at_once_one_goes_first(site: Site, visitors: Visitors) -> None:
    names = ("one", "other")
    for name in names:
        improvement(site, name, Status.APPROVED)
    children = [begun(site, "deploy", name) for name in names]
    answers = [ended(child) for child in children]
    assert sorted(answer["exit_code"] for answer in answers) == [0, 6]
    assert sorted(status_of(site, name) for name in names) == ["APPROVED", "LIVE"]
    late = next(name for name in names if status_of(site, name) == "APPROVED")
    assert not shown(site, late)
    stale = site.run("deploy", late, token=True)
    assert (stale["exit_code"], stale["errors"][0]["code"]) == (3, "stale")
    improvement(site, "next", Status.APPROVED)
    assert site.must("deploy", token=True)["deployment"]["adds"] == ["next"], "what live outran is in nobody's way"
    assert site.run("reject", late, "--digest", site.improvement(late)["digest"], "--reason", "late",
                    token=True)["exit_code"] == 0
    visitors.leave()
    visitors.must_have_lost_nothing(live_data(site) / "library.db")


def test_down_during_a_deploy_leaves_nothing_and_the_old_release_on_record(site: Site) -> None:
    name, before = "stopped", site.must("status")["live_release"]
    improvement(site, name, Status.APPROVED)
    with adjusted(site, deploy=LONG_WATCH):
        child = begun(site, "deploy", name)
        until_shown(site, name)
        assert len(processes_of(site.state)) > 5
        assert site.must("down")["stopped"]
        assert child.wait(timeout=60) != 0
    assert processes_of(site.state) == []
    assert site.must("status")["live_release"] == before and status_of(site, name) == "APPROVED"
    site.must("up")
    site.stop_loop()
    assert not shown(site, name)
    assert site.must("status")["live_release"] == before
    assert site.must("deploy", name, token=True)["deployment"]["status"] == "COMMITTED"
