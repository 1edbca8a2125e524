"""What serves belongs to whoever opened the starter, not to whoever asked for it.

A control group is handed down from parent to child, and so is the wish to be killed first when memory runs out
(oom_score_adj), which anybody may raise: it tells here which side a program comes from.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tiny import Tiny

from aiimprove import process
from aiimprove.errors import ReleaseFailed
from aiimprove.process import Identity
from aiimprove.shim import starting
from aiimprove.shim.kept import Kept, Spec

STARTER = Path(starting.__file__).with_name("starter.py")
OF_THE_STARTER, OF_THE_ASKER = "77", "33"
ASK = """
import sys
from pathlib import Path
from aiimprove.shim.kept import Kept, Spec
kept = Kept(Path(sys.argv[1]))
kept.start(Spec(("sleep", "60"), {"PATH": "/usr/bin:/bin"}, Path("/"), Path(sys.argv[2])))
"""


def marked(mark: str) -> object:
    """Runs in a child before it becomes another program."""
    def mark_us() -> None:
        Path("/proc/self/oom_score_adj").write_text(mark)
    return mark_us


def mark_of(identity: Identity | None) -> str:
    assert identity
    return Path(f"/proc/{identity.pid}/oom_score_adj").read_text().strip()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    """The folder run/ of a state folder; its path is longer than an address of a socket may be."""
    folder = tmp_path / ("a" * 120) / "run"
    (folder / "starter").mkdir(parents=True)
    yield folder
    for spec in folder.rglob("spec.json"):
        Kept(spec.parent).stop()


@pytest.fixture
def starter(run: Path) -> Kept:
    """A starter under its own shim, opened by somebody of the unit."""
    words = (sys.executable, "-I", "-S", str(STARTER), str(run / "starter"))
    code = ("import sys; from pathlib import Path; from aiimprove.shim.kept import Kept, Spec; "
            "Kept(Path(sys.argv[1])).start(Spec(tuple(sys.argv[3:]), {}, Path('/'), Path(sys.argv[2])))")
    subprocess.run([sys.executable, "-c", code, str(run / "starter"), str(run / "log"), *words], check=True,
                   preexec_fn=marked(OF_THE_STARTER))
    kept = Kept(run / "starter")
    wait_for(run / "starter" / "secret")
    return kept


def wait_for(file: Path) -> None:
    subprocess.run(["timeout", "10", "sh", "-c", 'until [ -e "$0" ]; do sleep 0.02; done', str(file)], check=True)


def ask(run: Path, name: str = "loop") -> Kept:
    subprocess.run([sys.executable, "-c", ASK, str(run / name), str(run / "log")], check=True,
                   preexec_fn=marked(OF_THE_ASKER))
    return Kept(run / name)


def test_without_a_starter_it_belongs_to_who_asked(run: Path) -> None:
    assert mark_of(ask(run).state().program) == OF_THE_ASKER


def test_it_belongs_to_the_starter(run: Path, starter: Kept) -> None:
    kept = ask(run)
    state = kept.state()
    assert mark_of(state.program) == mark_of(state.shim) == OF_THE_STARTER
    kept.stop()
    assert kept.state().program is None


def test_a_new_shim_belongs_to_the_starter_too(run: Path, starter: Kept) -> None:
    kept = ask(run)
    shim, program = kept.state().shim, kept.state().program
    assert shim
    shim.signal(signal.SIGKILL)
    shim.wait(5)
    assert kept.revive()
    assert kept.state().program == program and mark_of(kept.state().shim) == OF_THE_STARTER


def test_what_was_started_outlives_the_starter(run: Path, starter: Kept) -> None:
    kept, before = ask(run), starter.state()
    for each in (before.shim, before.program):
        assert each and each.signal(signal.SIGKILL)
        each.wait(5)
    assert kept.state().program and kept.state().shim
    assert mark_of(ask(run, "door").state().program) == OF_THE_ASKER, "a dead starter keeps nobody from starting"


def test_a_failure_is_told(run: Path, starter: Kept) -> None:
    with pytest.raises(ReleaseFailed, match="Cannot assign"):
        Kept(run / "bad").start(Spec(("sleep", "1"), {}, Path("/"), run / "log", listen=(("203.0.113.1", 9),)))


@pytest.mark.parametrize("change", [{"secret": "guessed"}, {"spec": "/etc/hostname"}, {"secret": None}])
def test_nobody_else_is_served(run: Path, starter: Kept, change: dict[str, object]) -> None:
    """Code in the app reaches every socket of its user, but reads no secret."""
    kept = ask(run)
    kept.stop()
    request = {"secret": (run / "starter" / "secret").read_text(), "python": sys.executable,
               "spec": str(run / "loop" / "spec.json")}
    assert said(run, request | change) == b"" and kept.state().program is None
    assert json.loads(said(run, request))["exit_code"] == 0 and kept.state().program


def said(run: Path, request: object) -> bytes:
    folder = os.open(run / "starter", os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as own:
        own.settimeout(10)
        own.connect(f"/proc/self/fd/{folder}/socket")
        os.close(folder)
        own.sendall(json.dumps(request).encode() + b"\n")
        return own.makefile("rb").readline()


def test_a_crowd_at_the_door_keeps_nobody_from_starting(run: Path, starter: Kept) -> None:
    crowd = [socket.socket(socket.AF_UNIX) for _ in range(200)]
    folder = os.open(run / "starter", os.O_RDONLY)
    for each in crowd:
        each.connect(f"/proc/self/fd/{folder}/socket")
    threads = Path(f"/proc/{starter.state().program.pid}/task")  # type: ignore[union-attr]
    assert len(list(threads.iterdir())) <= 40
    assert ask(run).state().program
    for each in crowd:
        each.close()
    os.close(folder)


def test_whoever_dies_while_asking_gets_nothing(run: Path, starter: Kept) -> None:
    """The lock of the program's folder is held for a moment, so that the shim is still waiting when its asker dies."""
    home = run / "loop"
    ask(run).stop()
    with open(home / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        asker = subprocess.Popen([sys.executable, "-c", ASK, str(home), str(run / "log")])
        with suppress(subprocess.TimeoutExpired):
            asker.wait(1.2)
        asker.kill()
        asker.wait()
    subprocess.run(["sleep", "1.5"], check=True)
    assert Kept(home).state().program is None


def test_the_whole_site_belongs_to_the_unit_of_live(tiny: Tiny) -> None:
    """The gateway and live, and a shim that somebody else put in the place of a dead one."""
    try:
        tiny.call("up", "--without-loop", "--as-unit", "--json", preexec_fn=marked(OF_THE_STARTER)).data  # noqa: B018
        shim = Kept(tiny.state / "run/slots/live/blue/app").state().shim
        assert shim and shim.signal(signal.SIGKILL) and shim.wait(5)
        assert tiny.call("up", "--without-loop", "--json", preexec_fn=marked(OF_THE_ASKER)).exit_code == 0
        found = programs(tiny)
        assert {"live/blue/app", "gateway/shim", "starter"} <= set(found)
        assert {mark_of(each) for each in found.values()} == {OF_THE_STARTER}
        assert mark_of(Kept(tiny.state / "run/slots/live/blue/app").state().shim) == OF_THE_STARTER
    finally:
        tiny.call("down")
    assert process.named(str(tiny.state)) == []


@pytest.mark.slow
def test_what_the_loop_deploys_belongs_to_the_unit_of_live(tiny: Tiny) -> None:
    try:
        tiny.call("up", "--without-loop", "--as-unit", "--json", preexec_fn=marked(OF_THE_STARTER)).data  # noqa: B018
        before = programs(tiny)
        commit = tiny.commit({"app/more.txt": "more"})
        said = tiny.call("deploy", commit, "--token-stdin", "--json", stdin=tiny.operator(),
                         preexec_fn=marked(OF_THE_ASKER))
        assert said.exit_code == 0, said
        after = programs(tiny)
        assert {"live/green/app", "dev/green/app"} & set(after) and set(after.values()) != set(before.values())
        assert {mark_of(each) for each in (*before.values(), *after.values()) if each.alive()} == {OF_THE_STARTER}
    finally:
        tiny.call("down")
    assert not [each for each in process.named(str(tiny.state)) if each.alive()]


def programs(tiny: Tiny) -> dict[str, Identity]:
    """Every program that is kept, by the name of its folder."""
    run = tiny.state / "run"
    found = {str(each.parent.relative_to(run)).removeprefix("slots/"): Kept(each.parent).state().program
             for each in run.rglob("spec.json")}
    return {name: program for name, program in found.items() if program}
