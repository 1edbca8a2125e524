"""A proof that does not count any more: nobody may act on it, and it is made again without being asked for."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import FINDING, Said, Tiny, proven

from aiimprove import approval, freshness, gate, lifecycle, rollout
from aiimprove.due import Due
from aiimprove.errors import Locked, Stale
from aiimprove.improvement import Approval, Improvement, Status
from aiimprove.lock import held
from aiimprove.proving import judge_digest
from aiimprove.release import Deployment, Slot
from aiimprove.workspace import GATE, Workspace

HOUR = 3600.0
PROVEN = sorted(freshness.PROVEN)


@pytest.fixture
def tiny(built: Tiny, tmp_path: Path) -> Tiny:
    return built.copy(tmp_path)


def planted(tiny: Tiny, status: Status, hours: float = 0.0, judge: str = "", **changes: object) -> Improvement:
    """One whose proof was made so many hours ago, by this judge."""
    evidence = proven(tiny.git("rev-parse", "HEAD"), judge or judge_digest(tiny.config()))
    yes = Approval("anna", "d" * 64, 1.0) if status is Status.APPROVED else None
    return tiny.plant(status, **{"evidence": replace(evidence, made=time.time() - hours * HOUR), "approval": yes}
                      | changes)


@pytest.mark.parametrize(("hours", "judge", "why"), [
    (0.0, "", ""), (167.9, "", ""), (168.1, "", "its proof is older than 168 hours"),
    (-168.1, "", "its proof is older than 168 hours"),
    (0.0, "another", "the checks or their limits have changed since it was proven")])
def test_why_a_proof_does_not_count(tiny: Tiny, engine: Workspace, hours: float, judge: str, why: str) -> None:
    found = planted(tiny, Status.VERIFIED, hours, judge)
    assert freshness.lapsed(engine, found) == why
    assert (freshness.due(engine) is not None) is bool(why) is Due(engine).test()


def test_what_live_outran_is_carried_over_not_only_proven_again(tiny: Tiny, engine: Workspace) -> None:
    found = planted(tiny, Status.VERIFIED, base_commit="0" * 40)
    assert freshness.lapsed(engine, found) == "live has moved since it was proven"
    assert freshness.due(engine) is None and Due(engine).generate()


def test_only_limits_that_judge_belong_to_the_judge(tiny: Tiny) -> None:
    config = tiny.config()
    longer, larger = (replace(config, limits=replace(config.limits, **each))
                      for each in ({"log_mb": 1.0, "evidence_hours": 1.0}, {"changed_lines": 7}))
    assert judge_digest(longer) == judge_digest(config) != judge_digest(larger)


def acted(tiny: Tiny, verb: str) -> Said:
    words = {"approve": ("--digest", "d" * 64, "--token-stdin"), "deploy": ("--token-stdin",)}.get(verb, ())
    return tiny.call(verb, "index", *words, "--json", stdin=tiny.operator() if words else "")


@pytest.mark.parametrize(("verb", "status"), [
    ("request-approval", Status.VERIFIED), ("approve", Status.AWAITING_APPROVAL)])
def test_nobody_acts_on_it(tiny: Tiny, verb: str, status: Status) -> None:
    planted(tiny, status, hours=200)
    said = acted(tiny, verb)
    assert said.exit_code == 3 and "its proof is older than 168 hours" in said.error["message"]
    assert "'aiimprove run --once'" in said.error["message"]
    with closing(tiny.store()) as store:
        assert store.improvement("index").status is status, "nothing was done"


def test_it_is_not_deployed(tiny: Tiny, engine: Workspace) -> None:
    from aiimprove import deployment

    found = planted(tiny, Status.APPROVED, hours=200)
    assert not Due(engine).deploy(), "the loop does not try"
    with pytest.raises(Stale, match="its proof is older than 168 hours"):
        deployment._approved_release(engine, found)


def test_the_pages_say_until_when(tiny: Tiny) -> None:
    found = planted(tiny, Status.AWAITING_APPROVAL, hours=100)
    assert found.evidence is not None
    made, until = found.evidence.made, found.evidence.made + 168 * HOUR
    assert tiny.call("show", "index", "--json").data["proof"] == {"made": made, "until": until, "lapsed": ""}
    assert tiny.call("status", "--json").data["proofs"] == {"index": {"made": made, "until": until}}
    day = time.strftime("%Y-%m-%d %H:%M", time.localtime(until))
    assert f"counts until {day}" in tiny.call("show", "index").output and day in tiny.call("status").output
    with closing(tiny.store()) as store:
        store.record_findings([FINDING], "0" * 40)
    assert tiny.call("findings", "--json").data["findings"][0]["proof"]["until"] == until
    assert f"counts until {day}" in " ".join(tiny.call("findings").output.split())


@pytest.mark.parametrize("status", PROVEN)
def test_it_goes_back_and_nothing_carries_over(tiny: Tiny, engine: Workspace, status: Status) -> None:
    taken = freshness.take_back(engine, planted(tiny, status, hours=200))
    assert taken.status is Status.GENERATED and (taken.evidence, taken.digest, taken.approval) == (None, "", None)
    assert taken.reason == "its proof is older than 168 hours: it is proven again"


def test_one_that_goes_live_is_left_alone(tiny: Tiny, engine: Workspace) -> None:
    found = planted(tiny, Status.APPROVED, hours=200)
    with held(engine.store, "deploy", "putting it live"):
        assert freshness.due(engine) is None
        with pytest.raises(Locked):
            freshness.take_back(engine, found)
    engine.store.add_deployment(Deployment("d-1", "r", "", Slot.BLUE, adds=("index",)), "test")
    assert freshness.due(engine) is None, "its deployment is being watched"


def test_one_that_was_taken_back_meanwhile_is_not_deployed(tiny: Tiny, engine: Workspace) -> None:
    freshness.take_back(engine, planted(tiny, Status.APPROVED, hours=200))
    with pytest.raises(Stale, match="index is GENERATED by now"):
        rollout._prepare(engine, rollout.Order(engine.live(), adds=("index",)))
    assert engine.store.deployments() == []


def test_a_renewed_proof_does_not_renew_the_question(tiny: Tiny, engine: Workspace) -> None:
    engine.store.set_fact(GATE, {"key": gate._key(engine), "open": True, "word": gate.OPEN, "at": time.time()})
    first = approval.request(engine, planted(tiny, Status.VERIFIED).id)
    assert first is not None
    back = engine.store.save(first, first.advance(Status.GENERATED), "test")
    again = engine.store.save(back, back.advance(Status.VERIFIED), "test")
    asked = approval.request(engine, again.id)
    assert asked is not None and asked.asked == first.asked > 0 and asked.updated > first.updated
    engine.store.save(asked, asked.note(asked=time.time() - 15 * 24 * HOUR), "test")
    assert Due(engine).request() and [each.status for each in approval.expire(engine)] == [Status.EXPIRED]


@pytest.mark.parametrize(("path", "content", "status"), [
    ("app/pytest.ini", b"[pytest]\n", Status.FAILED),
    pytest.param("app/migrations/0002_notes_by_tag.sql", b"CREATE INDEX notes_by_tag ON notes (tag);\n",
                 Status.VERIFIED, marks=pytest.mark.slow)])
def test_it_is_proven_again_without_being_asked(tiny: Tiny, engine: Workspace, path: str, content: bytes,
                                                status: Status) -> None:
    """By the step of the loop, for real; one that was approved is not approved any more."""
    base = tiny.git("rev-parse", "HEAD")
    commit = engine.repository.commit_files(base, {path: content}, "index")
    planted(tiny, Status.APPROVED, hours=200, commit=commit, patch=engine.repository.diff(base, commit))
    assert lifecycle.STEPS["test"](engine) == f"index is {status}"
    again = engine.store.improvement("index")
    assert again.approval is None and again.evidence is not None
    said = [event.body.get("message") for event in engine.store.events("index")]
    assert "its proof is older than 168 hours: it is proven again" in said
    if status is Status.VERIFIED:
        assert again.evidence.made > time.time() - 100 and not freshness.lapsed(engine, again)
