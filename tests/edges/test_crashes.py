"""Whoever dies, sleeps or comes twice: live goes on, one release serves, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import Tiny

from aiimprove import lifecycle
from aiimprove.errors import Stale
from aiimprove.process import Identity
from aiimprove.release import DeploymentStatus, Environment
from aiimprove.slots import RunningSlot
from aiimprove.way_back import abort, serving_slot
from aiimprove.workspace import Workspace


def until(question: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def answers(tiny: Tiny) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{tiny.live_port}/count", timeout=15) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def processes_of(tiny: Tiny) -> list[str]:
    """What runs with the app's folder in its words, its working directory or its environment."""
    found, mark = [], str(tiny.root).encode()
    for entry in Path("/proc").iterdir():
        try:
            known = (entry / "cmdline").read_bytes() + os.readlink(entry / "cwd").encode() \
                + (entry / "environ").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if mark in known and entry.name != str(os.getpid()):
            found.append(known.decode(errors="replace")[:200])
    return found


@pytest.fixture
def up(tiny: Tiny) -> Iterator[Tiny]:
    """The app, live, without a loop."""
    try:
        assert tiny.call("up", "--without-loop").exit_code == 0
        yield tiny
    finally:
        assert tiny.call("down").exit_code == 0
        assert processes_of(tiny) == []


def deploying(tiny: Tiny, token: str) -> subprocess.Popen[str]:
    """A deploy of HEAD, under way."""
    command: subprocess.Popen[str] = tiny.start("deploy", "HEAD", "--token-stdin", "--json", stdout=subprocess.DEVNULL,
                                                stderr=subprocess.DEVNULL)
    assert command.stdin is not None
    command.stdin.write(token + "\n")
    command.stdin.close()
    return command


def serving(workspace: Workspace) -> RunningSlot:
    found = serving_slot(workspace)
    assert found is not None
    return found


def test_a_deploy_that_slept_stops_nobody_elses_release(up: Tiny) -> None:
    token = up.operator()
    up.commit({"app/new.txt": "new"})
    sleeper = deploying(up, token)
    with closing(up.store()) as store:
        until(lambda: store.unfinished(), 40, "nothing is deployed")
        sleeper.send_signal(signal.SIGSTOP)
        until(lambda: up.call("deploy", "HEAD", "--token-stdin", stdin=token).exit_code == 0, 40, "it keeps the lease")
        sleeper.send_signal(signal.SIGCONT)
        assert sleeper.wait(40) == -signal.SIGKILL  # it does not even wake up
        assert answers(up) == 200 and not store.unfinished()
        assert store.deployments(limit=1)[0].status is DeploymentStatus.COMMITTED


def test_stopping_and_aborting_ask_whether_it_is_still_theirs(up: Tiny) -> None:
    workspace = up.workspace()
    with closing(workspace.store):
        slot = serving(workspace)
        workspace.slots.stop(replace(slot, ports={name: port + 1 for name, port in slot.ports.items()}))
        workspace.slots.stop(replace(slot, release="r-before"))
        assert serving(workspace).identities().keys() == slot.ports.keys() and answers(up) == 200
        done = workspace.store.deployments(limit=1)[0]
        with pytest.raises(Stale):
            abort(workspace, replace(done, version=done.version - 1, status=DeploymentStatus.WATCHING), "late",
                  condemn=True)
        assert serving(workspace) == slot


def test_of_many_that_start_or_stop_one_at_a_time_is_at_it(tiny: Tiny) -> None:
    starting = [tiny.start("up", "--without-loop") for _ in range(3)]
    codes = sorted(each.wait(60) for each in starting)
    assert codes == [0, 6, 6] or codes == [0, 0, 6], codes
    assert tiny.call("down").exit_code == 0 and processes_of(tiny) == []
    command = tiny.start("up", "--without-loop")
    with closing(tiny.store()) as store:
        until(lambda: store.connection.execute("SELECT 1 FROM leases WHERE name = 'system' AND until > 0 AND pid = ?",
                                               (command.pid,)).fetchone(), 20, "up does not begin")
    assert tiny.call("down").exit_code == 0
    assert command.wait(20) in (0, 130) and processes_of(tiny) == []


def test_a_shim_without_its_program_is_something_to_stop(up: Tiny) -> None:
    """It would start the program again."""
    gateway = up.workspace().gateway
    shim, caddy = gateway.identities()
    assert shim and caddy and shim.signal(signal.SIGSTOP) and caddy.signal(signal.SIGKILL) and caddy.wait(5)
    assert not gateway.running() and gateway.kept()
    gateway_is_back = shim.signal(signal.SIGCONT)
    assert gateway_is_back and answers(up) == 200


def test_a_look_at_health_gives_live_new_shims(up: Tiny) -> None:
    workspace = up.workspace()
    with closing(workspace.store):
        old = [workspace.gateway.identities()[0], *(kept.state().shim for kept in serving(workspace).kept().values())]
        for shim in old:
            assert shim and shim.signal(signal.SIGKILL) and shim.wait(5)
        assert answers(up) == 200
        lifecycle.STEPS["health"](workspace)
        new = [workspace.gateway.identities()[0], *(kept.state().shim for kept in serving(workspace).kept().values())]
        assert all(new) and not set(new) & set(old)
        for program in serving(workspace).identities().values():
            program.signal(signal.SIGKILL)
        assert answers(up) == 200


def test_a_service_that_died_together_with_its_shim_is_started_again(up: Tiny) -> None:
    workspace = up.workspace()
    with closing(workspace.store):
        for kept in serving(workspace).kept().values():
            for each in (kept.state().shim, kept.state().program):
                assert each and each.signal(signal.SIGKILL) and each.wait(5)
        assert serving_slot(workspace) is None
        lifecycle.STEPS["health"](workspace)
        assert answers(up) == 200


LIVE_ONLY = '    LIVE = "DEV" not in os.environ\n'


@pytest.mark.parametrize("code, why", [
    ("    import threading\n    if LIVE: threading.Timer(1, os._exit, [3]).start()\n", "died 2 times"),
    ("    def broken(*words): raise OSError('no')\n    import threading\n"
     "    if LIVE: threading.Timer(2, lambda: globals().update(rows=broken)).start()\n", "was not answered"),
], ids=["keeps dying", "healthy, but its pages are broken"])
def test_a_release_that_turns_bad_with_no_visitor_there_goes_back(up: Tiny, code: str, why: str) -> None:
    token = up.operator()
    up.edit("config.toml", "watch_seconds = 1", "watch_seconds = 4")
    up.edit("config.toml", "[services.app.env]", '[services.app.dev_env]\nDEV = "1"\n\n[services.app.env]')
    up.edit("app/app.py", 'if __name__ == "__main__":\n', 'if __name__ == "__main__":\n' + LIVE_ONLY + code)
    up.commit({})
    said = up.call("deploy", "HEAD", "--token-stdin", "--json", stdin=token)
    assert said.exit_code == 5 and why in said.error["message"], said
    with closing(up.store()) as store:
        assert store.fact("live_release") == store.deployments(limit=1)[0].replaces
    assert answers(up) == 200


def test_what_a_service_started_ends_with_it(tiny: Tiny) -> None:
    """Also what left its session; the fixture of others would not see it, here it is looked for."""
    start = '    import subprocess\n    subprocess.Popen(["sleep", "600"], start_new_session=True, cwd=os.getcwd())\n'
    tiny.edit("app/app.py", 'if __name__ == "__main__":\n', 'if __name__ == "__main__":\n' + start)
    tiny.commit({})
    assert tiny.call("up", "--without-loop").exit_code == 0
    workspace = tiny.workspace()
    with closing(workspace.store):
        program = serving(workspace).identities()["app"]
        assert any("sleep" in each for each in processes_of(tiny))
    program.signal(signal.SIGKILL)
    until(lambda: answers(tiny) == 200, 10, "it does not come back")
    assert tiny.call("down").exit_code == 0 and processes_of(tiny) == []


def test_what_serves_stays_when_its_record_is_lost(up: Tiny) -> None:
    workspace = up.workspace()
    before = serving(workspace).release
    workspace.store.close()
    up.commit({"app/new.txt": "never proven"})
    for file in up.state.glob("state.db*"):
        file.unlink()
    assert up.call("up", "--without-loop", "--json").data["live_release"] == before and answers(up) == 200


def test_a_command_that_is_told_to_end_undoes_what_it_did(up: Tiny) -> None:
    up.commit({"app/new.txt": "new"})
    command = deploying(up, up.operator())
    with closing(up.store()) as store:
        until(store.unfinished, 40, "nothing is deployed")
        command.terminate()
        assert command.wait(20) == 130
        assert not store.unfinished() and store.deployments(limit=1)[0].message == "interrupted"
    workspace = up.workspace()
    with closing(workspace.store):
        assert len(workspace.slots.running(Environment.LIVE)) == 1 and answers(up) == 200


def test_identities_are_not_taken_for_those_of_another_boot(up: Tiny) -> None:
    """After a reboot another program may have any pid: nothing is adopted and nobody is signalled."""
    workspace = up.workspace()
    with closing(workspace.store):
        own = serving(workspace).identities()["app"]
    other = Identity(own.pid, own.started, "another boot")
    assert own.alive() and not other.alive() and not other.signal(0) and not other.signal_group(0)
