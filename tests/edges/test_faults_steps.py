"""kill -9, SIGSTOP and a full disk at every step of deploy and of rollback, while somebody writes to the site.

After each fault: no write is lost or doubled, visitors noticed nothing, the same command gets through at once, and
then exactly one release serves, as the record says, and nothing is left over.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator

import pytest
from struck import Struck, struck, until
from tiny import Tiny

from aiimprove.process import Identity
from bench.small import Writer


@pytest.fixture
def app(tiny: Tiny) -> Iterator[Struck]:
    with struck(tiny) as found:
        yield found


def _kill(app: Struck, number: int, words: tuple[str, ...]) -> None:
    app.faulty("kill", number, *words).communicate(timeout=60)
    app.through(*words)


def _sleep(app: Struck, number: int, words: tuple[str, ...]) -> None:
    """It sleeps past its lease while the same command is called again, and wakes up after that."""
    command = app.faulty("sleep", number, *words)
    sleeper = Identity.of(command.pid)
    until(lambda: command.poll() is not None or _stopped(command), 30, "it neither sleeps nor ends")
    try:
        app.through(*words, tries=12)
    finally:
        if sleeper is not None:
            sleeper.signal(signal.SIGCONT)
        command.communicate(timeout=60)
    app.through(*words)


def _full(app: Struck, number: int, words: tuple[str, ...]) -> None:
    _, errors = app.faulty("full", number, *words).communicate(timeout=60)
    assert "Traceback" not in errors, errors
    app.through(*words)


def _stopped(command: subprocess.Popen[str]) -> bool:
    with open(f"/proc/{command.pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "T"


STRIKES = {"kill": _kill, "sleep": _sleep, "full": _full}


def _deploy_and_back(app: Struck) -> tuple[list[str], list[str]]:
    return app.steps("deploy", app.approved()), app.steps("rollback", "--to", app.first.id)


def _strike(app: Struck, what: str, at: tuple[int, int], *, gentle: bool = True) -> list[str]:
    """One deployment and one rollback, each struck at a step; what went wrong."""
    with Writer(app.tiny.live_port) as writer:
        for number, words in zip(at, (("deploy", app.approved()), ("rollback", "--to", app.first.id)), strict=True):
            STRIKES[what](app, number, words)
            wanted = app.second if words[0] == "deploy" else app.first
            assert app.engine.live().id == wanted.id, (what, number, words)
            wrong = app.wrong()
            assert not wrong, (what, number, words, wrong)
    assert writer.acknowledged
    return app.lost(writer) + (writer.failed if gentle else [])


def test_a_fault_at_some_steps(app: Struck) -> None:
    deploying, returning = map(len, _deploy_and_back(app))
    assert deploying > 50 and returning > 30
    for what, share in (("kill", 0.45), ("sleep", 0.6), ("full", 0.8)):
        assert _strike(app, what, (round(share * deploying), round(share * returning))) == []


@pytest.mark.slow
@pytest.mark.parametrize("what", STRIKES)
def test_a_fault_at_every_step(app: Struck, what: str) -> None:
    deploying, returning = _deploy_and_back(app)
    wrong = []
    for number in range(1, 1 + max(len(deploying), len(returning))):
        at = min(number, len(deploying)), min(number, len(returning))
        names = deploying[at[0] - 1], returning[at[1] - 1]
        try:
            wrong += [(what, at, names, each) for each in _strike(app, what, at)]
        except AssertionError as error:
            wrong.append((what, at, names, str(error)[:2000]))
            app.verb("rollback", "--to", app.first.id)
    assert wrong == []
