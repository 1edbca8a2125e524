"""The arrows that an improvement may take besides the straight way, each by the command line on the running site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import candidates
import pytest
from bundled_site import Tree, adjusted, killed, quick_tests, visit
from candidates import improvement, live_text, opened

from aiimprove.improvement import Status

if TYPE_CHECKING:
    from bench.site import Site

pytestmark = pytest.mark.site
ENTRY = "backend/main_enhanced.py"
SILENT = """

@app.middleware("http")
async def silence(request: Request, call_next):
    return JSONResponse({}, status_code=503)
"""


@pytest.fixture(scope="module")
def found(site: Site) -> list[dict[str, Any]]:
    """What analyze proposes on the site, once for this module."""
    site.must("analyze")
    return [each for each in site.must("status")["improvements"] if each["status"] == "PROPOSED"]


def first(found: list[dict[str, Any]], beginning: str) -> str:
    return next(str(each["id"]) for each in found if each["id"].startswith(beginning))


def error_of(answer: dict[str, Any]) -> tuple[int, str]:
    return answer["exit_code"], answer["errors"][0]["code"]


def reject(site: Site, name: str, reason: str = "not now") -> dict[str, Any]:
    digest = site.improvement(name)["digest"]
    return site.run("reject", name, "--digest", digest, "--reason", reason, token=True)


def test_a_rejected_idea_does_not_come_back(site: Site, found: list[dict[str, Any]]) -> None:
    name = first(found, "missing-security-headers")
    site.must("generate", name)
    made = candidates.asked_for(site, name)
    assert error_of(site.run("reject", name, "--digest", "0" * 64, "--reason", "no", token=True)) == (3, "stale")
    assert reject(site, name, "we set them elsewhere")["data"]["improvement"]["status"] == "REJECTED"
    assert site.improvement(name)["reason"] == "we set them elsewhere"

    site.must("analyze")
    assert made.finding.fingerprint in {each["fingerprint"] for each in site.must("findings")["findings"]}
    with opened(site) as workspace:
        assert [each.id for each in workspace.store.of_finding(made.finding.fingerprint)] == [name]
    approved = site.run("approve", name, "--digest", made.digest, token=True)
    assert error_of(approved) == (3, "refused") and "REJECTED" in approved["errors"][0]["message"]


def test_what_live_outran_is_carried_over_proven_and_asked_again(site: Site, found: list[dict[str, Any]]) -> None:
    name = first(found, "integer-out-of-range")
    site.must("generate", name)
    asked = candidates.asked_for(site, name)
    move_live(site, "outran")

    late = site.run("approve", name, "--digest", asked.digest, token=True)
    assert error_of(late) == (3, "stale") and site.improvement(name)["status"] == "AWAITING_APPROVAL"
    carried = site.must("generate", name)["improvement"]
    assert (carried["status"], carried["digest"]) == ("GENERATED", "")
    assert carried["base_commit"] == site.must("status")["live_commit"] != asked.base_commit
    assert error_of(site.run("approve", name, "--digest", asked.digest, token=True)) == (3, "refused")

    with quick_tests(site):
        killed(site, "test", name, work=site.state / "work" / name)
        assert site.improvement(name)["status"] == "GENERATED"
        assert site.must("test", name)["improvement"]["status"] == "VERIFIED"
        again = site.must("request-approval", name)["improvement"]
    assert again["status"] == "AWAITING_APPROVAL" and again["digest"] != asked.digest
    assert error_of(site.run("approve", name, "--digest", asked.digest, token=True)) == (3, "stale")
    must_be_approved_once(site, name, again["digest"])
    assert reject(site, name)["exit_code"] == 0


def move_live(site: Site, name: str) -> None:
    improvement(site, name, Status.APPROVED)
    site.must("deploy", name, token=True)
    assert visit(site, f"/demo/{name}.txt").text == name


def must_be_approved_once(site: Site, name: str, digest: str) -> None:
    for _ in range(2):
        assert site.must("approve", name, "--digest", digest, token=True)["improvement"]["status"] == "APPROVED"
    told = [event["name"] for event in site.improvement(name)["events"]]
    assert told.count("improvement.approved") == 1


def test_what_is_gone_is_superseded(site: Site) -> None:
    gone = improvement(site, "gone", Status.PROPOSED)
    with adjusted(site, detectors=["security_headers"]):  # enough to look, and quick
        killed(site, "analyze", work=site.state / "work" / "analyze")
        for _ in range(2):
            site.must("analyze")
    card = site.improvement(gone.id)
    assert (card["status"], card["reason"]) == ("SUPERSEDED", "the finding is gone")


def test_an_answer_needs_an_operator_and_something_that_waits(site: Site) -> None:
    waiting = improvement(site, "waits", Status.AWAITING_APPROVAL)
    words = ("approve", waiting.id, "--digest", waiting.digest)
    assert error_of(site.run(*words)) == (3, "not_operator")
    token, site.token = site.token, "aiop_made-up-made-up-made-up"
    assert error_of(site.run(*words, token=True)) == (3, "not_operator")
    site.token = token
    assert error_of(site.run("approve", waiting.id, token=True)) == (2, "usage")
    assert error_of(site.run("approve", "nothing", "--digest", waiting.digest, token=True)) == (7, "not_found")
    assert error_of(site.run("deploy", waiting.id, token=True)) == (3, "refused")
    assert site.improvement(waiting.id)["status"] == "AWAITING_APPROVAL"
    assert reject(site, waiting.id)["exit_code"] == 0


@pytest.mark.parametrize(("name", "path", "ending", "why"), [
    ("unbuildable", "backend/library/broken.py", "def (\n", "does not build"),
    ("greedy", "backend/requirements.txt", "no-such-package-at-all==1\n", "scope: backend/requirements.txt belongs to"),
    ("stillborn", ENTRY, "\nraise RuntimeError('it was never meant to start')\n", "never meant to start"),
    ("silent", ENTRY, SILENT, "answered 503"),
])
def test_a_candidate_that_cannot_run_fails_and_live_is_untouched(site: Site, name: str, path: str, ending: str,
                                                                 why: str) -> None:
    before, mine = site.must("status")["live_release"], Tree.of(site)
    bad = improvement(site, name, Status.GENERATED, {path: (live_text(site, path) + ending).encode()})
    with adjusted(site, deploy={"start_seconds": 12}):
        tested = site.run("test", bad.id)
    assert error_of(tested) == (4, "verification_failed")
    card = site.improvement(bad.id)
    assert card["status"] == "FAILED" and why in card["reason"]
    assert error_of(site.run("request-approval", bad.id)) == (3, "refused")
    assert visit(site, "/health").status_code == 200
    assert site.must("status")["live_release"] == before and Tree.of(site) == mine
