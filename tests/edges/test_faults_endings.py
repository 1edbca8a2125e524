"""What a crash left is finished or undone by the next command, whichever is safe, and it says which."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Iterator

import pytest
from struck import Struck, struck
from tiny import Tiny

from aiimprove.release import Environment
from aiimprove.way_back import serving_slot
from bench.small import Writer


@pytest.fixture
def app(tiny: Tiny) -> Iterator[Struck]:
    with struck(tiny) as found:
        yield found


def killed_at_the_end_of_the_watch(app: Struck, *words: str) -> str:
    """A command that died right before it ended its watch; the id of its deployment."""
    with app.waiting("os.remove watch.json", *words) as command:
        command.kill()
        command.wait()
    return app.engine.store.unfinished()[0].id


def test_what_was_watched_to_its_end_is_finished(app: Struck) -> None:
    name = app.approved()
    deployment = killed_at_the_end_of_the_watch(app, "deploy", name)
    assert "nobody is at it" in app.tiny.call("status").output
    assert app.engine.gateway.release_watch(deployment)
    said = app.through("deploy", name)
    assert f"deployment {deployment} was finished: " in said.errors and app.second.id in said.output, said
    assert app.wrong() == [] and app.engine.live().id == app.second.id
    assert len(app.engine.store.deployments()) == 2, "it was deployed a second time"
    app.through("rollback")
    assert app.engine.live().id == app.first.id and app.wrong() == []


@pytest.mark.slow
def test_what_was_still_watched_is_undone(app: Struck) -> None:
    name = app.approved()
    deployment = killed_at_the_end_of_the_watch(app, "deploy", name)
    said = app.tiny.call("run", "--once")
    assert f"deployment {deployment} was undone: " in said.output + said.errors, said
    assert app.engine.store.improvement(name).status == "LIVE" and app.wrong() == []  # it was deployed anew


@pytest.mark.slow
def test_a_rollback_that_had_switched_is_finished(app: Struck) -> None:
    app.through("deploy", app.approved())
    deployment = killed_at_the_end_of_the_watch(app, "rollback")
    said = app.through("rollback")
    assert f"deployment {deployment} was finished: " in said.errors, said
    assert app.engine.live().id == app.first.id and app.wrong() == []
    assert len(app.engine.store.deployments()) == 3


@pytest.mark.slow
def test_what_cannot_be_undone_is_finished(app: Struck) -> None:
    name = app.approved()
    with app.waiting("os.remove watch.json", "deploy", name) as command:
        serving = serving_slot(app.engine)
        assert serving is not None
        app.engine.slots.stop(app.engine.slots.running(Environment.LIVE)[serving.slot.other])
        artifact = app.tiny.state / "artifacts" / app.first.services["app"]
        shutil.move(artifact, artifact.with_name("gone"))
        command.kill()
        command.wait()
    said = app.through("deploy", name)
    assert "was finished: " in said.errors and "does not answer any more" in said.errors, said
    assert app.engine.live().id == app.second.id and app.wrong() == []


def test_a_command_that_slept_for_a_moment_goes_on(app: Struck) -> None:
    name, pause = app.approved(), threading.Event()
    with Writer(app.tiny.live_port) as writer, app.waiting("os.rename live", "deploy", name) as command:
        command.send_signal(signal.SIGSTOP)
        command.stdin.write("\n")  # type: ignore[union-attr]
        command.stdin.flush()  # type: ignore[union-attr]
        assert not pause.wait(2), "shorter than its leases"
        command.send_signal(signal.SIGCONT)
        assert command.wait(60) == 0, app.said
    assert app.wrong() == [] and app.engine.live().id == app.second.id and app.lost(writer) == []
