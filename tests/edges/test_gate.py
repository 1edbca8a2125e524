"""The gate is fed what it must refuse, by the checks of every proof; a check that is broken on purpose closes it."""

from __future__ import annotations

import importlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import FINDING, SQL, Tiny, proven

from aiimprove import approval, deployment, freshness, gate
from aiimprove.baits import Baits, sent
from aiimprove.due import Due
from aiimprove.errors import Refused
from aiimprove.evidence import Check, Evidence, Measurement, Verdict
from aiimprove.finding import Probe
from aiimprove.improvement import Approval, Improvement, Status
from aiimprove.proving import Stand, judge_digest
from aiimprove.workspace import GATE, Workspace

FIX = {"app/migrations/0002_notes_by_tag.sql": b"CREATE INDEX notes_by_tag ON notes (tag);\n",
       "app/tests/test_index.py": b"import glob\n\n\ndef test_an_index():\n"
                                  b"    assert any('notes_by_tag' in open(path).read() "
                                  b"for path in glob.glob('migrations/*.sql'))\n"}
NOTHING, REVERTED, SKIPS, GONE, KNOWS = ("a change that does nothing", "the fix taken back", "a test that skips itself",
                                         "a test that is gone", "code that knows the probe")


@pytest.fixture
def tiny(built: Tiny, tmp_path: Path) -> Tiny:
    return built.copy(tmp_path)


def evidence_of(tiny: Tiny) -> Evidence:
    evidence = proven(tiny.git("rev-parse", "HEAD"), judge_digest(tiny.config()))
    tests = Check("tests", Verdict.PASSED, "good", (Measurement("new tests of app that pass", 0, 1, "tests"),), 2.0)
    return replace(evidence, checks=tuple(tests if each.name == "tests" else each for each in evidence.checks))


@pytest.fixture
def fixed(tiny: Tiny, engine: Workspace) -> Improvement:
    """An improvement that was proven, and the others in line: what waits and what is approved."""
    commit = engine.repository.commit_files(tiny.git("rev-parse", "HEAD"), FIX, "index")
    evidence = replace(evidence_of(tiny), candidate_commit=commit)
    return tiny.plant(Status.VERIFIED, commit=commit, evidence=evidence)


def test_the_judge_notices_all_of_it(tiny: Tiny, engine: Workspace, fixed: Improvement) -> None:
    assert Due(engine).gate()
    assert gate.feed(engine) == f"the gate is open: refused {NOTHING}, {REVERTED}, {SKIPS}, {GONE}, {KNOWS}"
    gate.must_be_open(engine)
    assert not Due(engine).gate() and gate.feed(engine) == "", "once is enough, as things stand"
    known = tiny.call("status", "--json").data["gate"]
    assert (known["open"], known["word"]) == (True, "open") and engine.store.events("gate")[-1].name == "gate.held"
    assert engine.repository.text("for-each-ref", "--format=%(refname)").split() == ["refs/heads/main"]
    assert not (engine.config.state_folder / "work" / "gate").exists()
    engine.store.set_fact(GATE, engine.store.fact(GATE) | {"key": ["the judge of yesterday"]})
    assert Due(engine).gate()


@pytest.mark.parametrize(("check", "said"), [
    ("probe", [NOTHING]), ("tests", [REVERTED]), ("scope", [NOTHING, SKIPS, GONE]), ("honesty", [SKIPS, KNOWS])])
def test_a_broken_check_closes_it(tiny: Tiny, engine: Workspace, fixed: Improvement, check: str, said: list[str],
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(stand: Stand) -> Check:
        return Check(check, Verdict.PASSED, "all is well")

    monkeypatch.setattr(importlib.import_module(f"aiimprove.checks.{check}"), "run", blind)
    assert gate.feed(engine) == "the gate is closed: " + "; ".join(f"{name} passed {check}" for name in said)
    assert engine.store.events("gate")[-1].name == "gate.closed"


def closed(engine: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("aiimprove.gate.outcome", lambda evidence: Verdict.PASSED)
        broken.setattr(Baits, "all", lambda self: iter(list(all_baits(self))[:1]))
        assert "passed as a whole" in gate.feed(engine)


all_baits = Baits.all


def test_closed_nothing_passes_until_it_holds_again(tiny: Tiny, engine: Workspace, fixed: Improvement,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tiny.plant(Status.AWAITING_APPROVAL, "asked", evidence=evidence_of(tiny))
    yes = tiny.plant(Status.APPROVED, "yes", evidence=evidence_of(tiny), approval=Approval("anna", "d" * 64, 1.0))
    closed(engine, monkeypatch)
    for act in (lambda: approval.request(engine, fixed.id), lambda: approval.request(engine),
                lambda: approval.approve(engine, asked.id, asked.digest),
                lambda: deployment._approved_release(engine, yes)):
        with pytest.raises(Refused, match=f"the gate is closed: {NOTHING} passed as a whole"):
            act()
    assert not Due(engine).request() and not Due(engine).deploy() and not Due(engine).gate()
    said = tiny.call("status")
    assert "The gate is closed" in said.output and f"{NOTHING} passed as a whole" in said.output
    assert tiny.call("show", asked.id, "--json").data["refusals"] == [
        f"the gate is closed: {NOTHING} passed as a whole"]
    refused = tiny.call("request-approval", fixed.id, "--json")
    assert refused.exit_code == 3 and "the gate is closed" in refused.error["message"]
    engine.store.set_fact(GATE, engine.store.fact(GATE) | {"at": 0.0})
    assert Due(engine).gate() and gate.feed(engine).startswith("the gate is open")
    assert engine.store.events("gate")[-1].name == "gate.opened"
    assert freshness.lapsed(engine, fixed) == "the gate was closed since it was proven"


def test_what_the_machine_failed_at_changes_nothing(tiny: Tiny, engine: Workspace, fixed: Improvement,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.move(tiny.state / "artifacts", tiny.state / "elsewhere")
    assert gate.feed(engine).startswith(f"the gate is inconclusive: {NOTHING} could not be tried: ")
    gate.must_be_open(engine)
    assert not Due(engine).gate(), "not at once again"
    shutil.move(tiny.state / "elsewhere", tiny.state / "artifacts")
    engine.store.set_fact(GATE, engine.store.fact(GATE) | {"at": 0.0})
    closed(engine, monkeypatch)
    shutil.move(tiny.state / "artifacts", tiny.state / "elsewhere")
    engine.store.set_fact(GATE, engine.store.fact(GATE) | {"at": 0.0})
    assert gate.feed(engine).startswith("the gate is inconclusive")
    with pytest.raises(Refused, match="passed as a whole"):
        gate.must_be_open(engine)


def test_without_anything_proven_there_is_nothing_to_feed_it_with(tiny: Tiny, engine: Workspace) -> None:
    tiny.plant(Status.GENERATED)
    assert not Due(engine).gate() and gate.feed(engine) == "" and engine.store.fact(GATE) is None
    gate.must_be_open(engine)


def test_baits_are_made_where_there_is_something_to_make_them_of(engine: Workspace, fixed: Improvement) -> None:
    def names(improvement: Improvement) -> list[str]:
        return [bait.name for bait in Baits(engine.repository, engine.config, improvement).all()]

    assert names(fixed) == [NOTHING, REVERTED, SKIPS, GONE, KNOWS]
    assert fixed.evidence is not None
    showing_nothing = replace(fixed.evidence, checks=())
    silent = replace(FINDING, probe=Probe("http", "app", {"path": "/all?tag=home"}, {}))
    assert names(replace(fixed, evidence=showing_nothing, finding=silent)) == [NOTHING, SKIPS, GONE]


@pytest.mark.parametrize(("request_", "text"), [
    ({"sql": SQL.replace(" WHERE", "\n WHERE")}, SQL), ({"path": "/api/items?page=5"}, "/api/items"),
    ({"path": "/all"}, ""), ({"path": "/"}, ""), ({}, "")])
def test_what_the_probe_sends(request_: dict[str, str], text: str) -> None:
    assert sent(Probe("http", "app", request_, {})) == text
