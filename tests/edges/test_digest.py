"""What a day came to, who is told, and how many questions the first day may have; on a real database."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import Tiny

from aiimprove import approval, digest, lifecycle
from aiimprove.due import Due
from aiimprove.errors import MachineFailed
from aiimprove.improvement import Status
from aiimprove.patience import may_wait
from aiimprove.release import Deployment, Slot
from aiimprove.workspace import Workspace


@pytest.fixture
def tiny(built: Tiny, tmp_path: Path) -> Tiny:
    return built.copy(tmp_path)


@pytest.fixture
def telling(tiny: Tiny, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace whose digest goes to a file."""
    found = tiny.workspace()
    config = replace(found.config, digest=["sh", "-c", f"cat > {tmp_path}/told"])
    with closing(found.store):
        yield replace(found, config=config)


def deployed(workspace: Workspace, hours: float) -> None:
    made = Deployment("d-1", "r-1", "", Slot.BLUE, started=time.time() - hours * 3600)
    workspace.store.add_deployment(made, "test")
    workspace.store.connection.execute("UPDATE deployments SET started = ?", (made.started,))


@pytest.mark.parametrize(("hours", "many"), [(None, 3), (0.0, 1), (23.9, 1), (24.1, 3), (-1.0, 3)])
def test_few_questions_on_the_first_day(engine: Workspace, hours: float | None, many: int) -> None:
    if hours is not None:
        deployed(engine, hours)
    assert may_wait(engine) == many


def test_the_first_day_asks_once_and_whoever_names_one_more_gets_it(tiny: Tiny, engine: Workspace) -> None:
    deployed(engine, 1)
    tiny.plant(Status.AWAITING_APPROVAL, "asked")
    tiny.plant(Status.VERIFIED, "proven")
    assert not Due(engine).request() and approval.request(engine) is None
    engine.store.connection.execute("UPDATE deployments SET started = started - 86400")
    assert Due(engine).request()


def test_a_quiet_day_is_told_to_nobody(telling: Workspace, tmp_path: Path) -> None:
    assert digest.due(telling) and lifecycle.STEPS["digest"](telling) == "", "nothing is known of a day before"
    assert not digest.due(telling)
    telling.store.set_fact(digest.SENT, time.time() - 90000)
    assert digest.due(telling) and lifecycle.STEPS["digest"](telling) == ""
    assert not (tmp_path / "told").exists() and not digest.due(telling)


def test_what_happened_is_told_once(tiny: Tiny, telling: Workspace, tmp_path: Path) -> None:
    telling.store.set_fact(digest.SENT, time.time() - 90000)
    tiny.plant(Status.AWAITING_APPROVAL, "asked")
    for name in ("seen", "b", "c", "d", "e"):
        tiny.plant(Status.PROPOSED, name)
    telling.store.connection.executemany("INSERT INTO health VALUES (?, ?)", [
        (time.time() - age, json.dumps({"live": word})) for age, word in (
            (100, "ok"), (50, "failing"), (25, "stopped"), (100_000, "failing"))])
    said = lifecycle.STEPS["digest"](telling)
    told = (tmp_path / "told").read_text()
    assert told.splitlines()[0] == "waits for your answer: Index notes by tag (asked)"
    assert "live was well at 2 of 3 checks" in told and said == "; ".join(told.splitlines())
    assert "found: Index notes by tag (seen), " in told and "(c), and 2 more\n" in told
    assert lifecycle.STEPS["digest"](telling) == ""


@pytest.mark.parametrize(("words", "why"), [(["no-such-program-at-all"], "could not be started"),
                                            (["false"], "ended with 1")])
def test_a_program_that_fails_is_named_and_not_called_again_at_once(tiny: Tiny, telling: Workspace, words: list[str],
                                                                    why: str) -> None:
    telling.store.set_fact(digest.SENT, time.time() - 90000)
    tiny.plant(Status.AWAITING_APPROVAL, "asked")
    broken = replace(telling, config=replace(telling.config, digest=words))
    with pytest.raises(MachineFailed, match=why):
        digest.send(broken)
    assert not digest.due(broken)


def test_the_command_line_prints_it(tiny: Tiny) -> None:
    tiny.plant(Status.AWAITING_APPROVAL, "asked")
    found = tiny.call("digest", "--json").data
    assert found["waiting"] == ["asked"] and not found["quiet"]
    assert tiny.call("digest", "--hours", "1").output.startswith("waits for your answer: Index notes by tag (asked)")
