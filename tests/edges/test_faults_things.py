"""Whoever dies, sleeps, lies or is in the way while a release goes live or comes back.

After each fault the same command gets through, no acknowledged write is lost or doubled, exactly one release serves,
as the record says, and the site answers.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from struck import Struck, struck, until
from tiny import PYTHON, Tiny

from aiimprove import lifecycle
from aiimprove.improvement import Status
from aiimprove.process import Identity
from aiimprove.release import Environment, Slot
from bench.small import Writer

START, STARTED, ARMED, SWITCH, SWITCHED, COMMIT, STOP = STEPS = (
    "subprocess.Popen python -I -S", "open watch.lock", "os.rename watch.json", "os.rename live", "os.rename live_app",
    "os.remove watch.json", "os.remove returned.json")
"""Where a deployment stands: its first step of each kind."""
ROLES = ("old", "new", "gateway", "gateway's shim", "old's shim", "new's shim")


@pytest.fixture
def app(tiny: Tiny) -> Iterator[Struck]:
    with struck(tiny) as found:
        yield found


def who(app: Struck, role: str, old: Slot) -> Identity | None:
    gateway = app.engine.gateway.identities()
    if role.startswith("gateway"):
        return gateway[0 if "shim" in role else 1]
    slot = app.engine.slots.running(Environment.LIVE).get(old if role.startswith("old") else old.other)
    state = next(iter(slot.kept().values())).state() if slot else None
    return None if state is None else state.shim if "shim" in role else state.program


def meet(app: Struck, step: str, role: str, number: int, *words: str) -> None:
    """One command, in which somebody is signalled at a step; then the same command until it is done."""
    old = next(iter(app.engine.slots.running(Environment.LIVE)))
    with Writer(app.tiny.live_port) as writer:
        with app.waiting(step, *words):
            found = who(app, role, old)
            if found is not None:
                found.signal(number)
        assert "Traceback" not in app.said[1], app.said
        lifecycle.STEPS["health"](app.engine)  # as the loop does every half minute: it wakes who sleeps
        if words[0] == "deploy" and app.engine.store.improvement(words[1]).status is Status.ROLLED_BACK:
            assert role == "new" and app.engine.live().id == app.first.id, app.said
            words = ("deploy", app.approved())  # its release did not answer when it had to
        app.through(*words, tries=3)
        lifecycle.STEPS["health"](app.engine)
        until(lambda: not app.wrong(), 10, f"{step} {role} {number} {words}: {app.wrong()}")
    assert app.lost(writer) == [] and writer.acknowledged


SOME = [(SWITCH, "new", signal.SIGKILL), pytest.param(SWITCHED, "gateway", signal.SIGSTOP, marks=pytest.mark.slow)]


@pytest.mark.parametrize(("step", "role", "number"), SOME)
def test_somebody_dies_or_sleeps_meanwhile(app: Struck, step: str, role: str, number: int) -> None:
    meet(app, step, role, number, "deploy", app.approved())


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("role", ROLES)
def test_anybody_dies_or_sleeps_at_any_step(app: Struck, role: str, number: int) -> None:
    for step in STEPS:
        meet(app, step, role, number, "deploy", app.approved())
        assert app.engine.live().id == app.second.id, (step, app.said)
        meet(app, step, role, number, "rollback", "--to", app.first.id)
        assert app.engine.live().id == app.first.id, (step, app.said)


# -- ports --------------------------------------------------------------------------------------------------------

STRANGER = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Nice(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    do_POST = do_GET
    def log_message(self, *words): pass
server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Nice)
print("here", flush=True)
server.serve_forever()
"""


@contextmanager
def stranger(port: int) -> Iterator[None]:
    """A program of somebody else that listens on a port and answers everything with 200."""
    with subprocess.Popen([PYTHON, "-c", STRANGER, str(port)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"here\n"
        try:
            yield
        finally:
            other.kill()


@pytest.mark.parametrize("verb", ["deploy", pytest.param("rollback", marks=pytest.mark.slow)])
def test_a_private_port_is_stolen_by_somebody_who_answers(app: Struck, verb: str) -> None:
    words = ("deploy", app.approved())
    if verb == "rollback":
        app.through(*words)
        words = ("rollback", "--to", app.first.id)
    before, idle = app.engine.live().id, next(iter(app.engine.slots.running(Environment.LIVE))).other
    with Writer(app.tiny.live_port) as writer:
        with app.waiting(START, *words) as command:
            note = json.loads((app.tiny.state / "run" / "slots" / "live" / idle / "slot.json").read_text())
            with stranger(note["ports"]["app"]):
                command.stdin.write("\n")  # type: ignore[union-attr]
                command.stdin.flush()  # type: ignore[union-attr]
                assert command.wait(60) == 0
        assert app.engine.live().id != before and app.wrong() == []
    assert app.lost(writer) == [] == writer.failed


@pytest.mark.slow
def test_a_public_port_is_stolen_while_all_is_down(app: Struck) -> None:
    assert app.tiny.call("down").exit_code == 0
    with stranger(app.tiny.live_port):
        said = app.tiny.call("up", "--without-loop", "--json")
        assert said.exit_code == 3 and str(app.tiny.live_port) in said.error["message"]
    assert app.tiny.call("up", "--without-loop").exit_code == 0 and app.wrong() == []


# -- disk ---------------------------------------------------------------------------------------------------------

@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="a file system of a limited size needs root")
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """A small file system under the state folder, filled to the last byte at each kind of step."""
    tiny = Tiny(tmp_path)
    tiny.edit("config.toml", "[proof]", "[limits]\nfree_mb = 1\n\n[proof]")
    tiny.commit({})
    tiny.state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(tiny.state)], check=True)
    try:
        with struck(tiny) as app:
            for step in STEPS:
                _fill_at(app, step, "deploy", app.approved())
                _fill_at(app, step, "rollback", "--to", app.first.id)
    finally:
        subprocess.run(["umount", "-l", str(tiny.state)], check=True)


def _fill_at(app: Struck, step: str, *words: str) -> None:
    ballast = app.tiny.state / "ballast"
    with app.waiting(step, *words), ballast.open("wb", buffering=0) as file, suppress(OSError):
        for size in (1 << 16, 1 << 10, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    assert "Traceback" not in app.said[1] and "bug of ours" not in app.said[1], app.said
    assert app.answers("/health"), step  # the app itself may need room for its answers
    ballast.unlink()
    app.through(*words, tries=2)
    assert app.wrong() == [], (step, words)


# -- torn files ---------------------------------------------------------------------------------------------------

def power_cut(app: Struck) -> None:
    """Everything that the app has running ends at once, as when the machine loses power."""
    marks = str(app.tiny.root).encode()
    for _ in range(3):
        for entry in Path("/proc").iterdir():
            with suppress(OSError, ValueError):
                known = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                if marks in known and int(entry.name) != os.getpid():
                    os.kill(int(entry.name), signal.SIGKILL)


def tear(path: Path, draw: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:draw.randrange(len(content))] if content else b"")


@pytest.mark.slow
@pytest.mark.parametrize("what", ["slot.json", "generation.json", "app.stable", "watch.json", "child.json",
                                  "spec.json", "state.json"])
def test_a_file_that_lost_its_end_with_the_power(app: Struck, what: str, request: pytest.FixtureRequest) -> None:
    seed = random.randrange(10_000)
    request.node.user_properties.append(("seed", seed))
    draw, name = random.Random(seed), app.approved()
    with app.waiting(COMMIT, "deploy", name):
        power_cut(app)
    torn = list((app.tiny.state / "run").rglob(what))
    assert torn, what
    for path in torn:
        tear(path, draw)
    assert app.tiny.call("up", "--without-loop").exit_code == 0, seed
    app.through("deploy", name)
    assert app.wrong() == [] and app.engine.live().id == app.second.id, seed
