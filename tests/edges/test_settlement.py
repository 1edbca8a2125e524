"""A real site is asked whether it does what a proof predicted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import FINDING, Tiny, proven

from aiimprove import generation, lifecycle, settlement
from aiimprove.evidence import Check, Measurement, Verdict
from aiimprove.finding import Finding, Probe
from aiimprove.improvement import Improvement, Status
from aiimprove.prediction import FIGURE
from aiimprove.workspace import Workspace

HOME, OUT = {"method": "GET", "path": "/notes"}, {"method": "GET", "path": "/none"}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    tiny = Tiny(tmp_path_factory.mktemp("settled"))
    assert tiny.call("up", "--without-loop").exit_code == 0
    yield tiny
    assert tiny.call("down").exit_code == 0


@pytest.fixture
def engine(up: Tiny, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setattr(settlement, "WARM_SECONDS", 0.0)
    found = up.workspace()
    yield found
    found.store.close()


def live(up: Tiny, name: str, request: dict[str, object], after: float = 200.0) -> Improvement:
    evidence = proven("c")
    check = Check("probe", Verdict.PASSED, "gone", (Measurement(FIGURE, 500.0, after, "status"),))
    finding = replace(FINDING, cause=name, place=name, probe=Probe("http", "app", request, {"status_in": [200]}))
    return up.plant(Status.LIVE, name, finding=finding, evidence=replace(evidence, checks=(check,)))


def settled(engine: Workspace, name: str) -> dict[str, str]:
    said = lifecycle.STEPS["predictions"](engine)
    assert name in said, said
    return dict(engine.store.fact(settlement.SETTLED)[name])


def test_what_holds_is_asked_once(up: Tiny, engine: Workspace) -> None:
    live(up, "holds", HOME)
    assert settled(engine, "holds")["outcome"] == settlement.HELD
    assert lifecycle.STEPS["predictions"](engine) == ""
    assert [event.name for event in engine.store.events("holds")].count("prediction.settled") == 1


def test_what_does_not_is_said_and_ranks_lower(up: Tiny, engine: Workspace) -> None:
    live(up, "misses", OUT)
    assert settled(engine, "misses")["outcome"] == settlement.MISSED
    said = up.call("status")
    assert "Not as predicted: misses: the probe fails 5 of 5 times on live. 'aiimprove rollback'" in said.output
    same = Improvement("again", replace(FINDING, cause="misses", impact=30.0))
    assert settlement.ranks(engine)(same) == 15.0 and settlement.ranks(engine)(replace(same, finding=FINDING)) == 20.0


def test_the_next_to_be_written_is_the_one_that_may_be_trusted(up: Tiny, engine: Workspace) -> None:
    live(up, "spoilt", OUT)
    settled(engine, "spoilt")

    def planted(name: str, cause: str, impact: float) -> Finding:
        finding = replace(FINDING, cause=cause, place=name, impact=impact)
        up.plant(Status.PROPOSED, name, finding=finding)
        return finding

    planted("louder", "spoilt", 30.0)
    planted("quieter", "index", 20.0)
    chosen = generation.due(engine, engine.live())
    assert chosen is not None and chosen.id == "quieter"


def test_a_figure_far_from_the_proof_is_a_miss(up: Tiny, engine: Workspace) -> None:
    live(up, "elsewhere", HOME, after=204.0)
    found = settled(engine, "elsewhere")
    assert found["outcome"] == settlement.MISSED and "live shows 200 status" in found["why"]


def test_nothing_is_written_to_live_for_it(up: Tiny, engine: Workspace) -> None:
    live(up, "writes", {"method": "POST", "path": "/notes", "body": {"tag": "a", "text": "b"}})
    before = (Path(up.state) / "data" / "live" / "notes.db").read_bytes()
    assert settled(engine, "writes")["outcome"] == settlement.UNKNOWN
    assert (Path(up.state) / "data" / "live" / "notes.db").read_bytes() == before
