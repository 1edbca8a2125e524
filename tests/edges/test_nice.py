"""A program that is started nice gives way to everybody else, in its box too: not only within its own session."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import pytest

from aiimprove import process
from aiimprove.launch import Launch
from aiimprove.sandbox import boxed, find_box

SAYS = "import os; print(os.getpriority(os.PRIO_PROCESS, 0), open('/proc/self/autogroup').read())"
SPINS = "import time\nend, turns = time.monotonic() + 2, 0\nwhile time.monotonic() < end: turns += 1\nprint(turns)"

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/autogroup"), reason="this kernel knows no autogroups")


def said(argv: list[str], folder: Path, nice: int, env: dict[str, str] | None = None) -> tuple[int, int]:
    """The nice of the process, and that of its session."""
    done = process.run(argv, cwd=folder, env=env or {"PATH": os.defpath}, deadline=20, nice=nice)
    assert done.exit_code == 0, done.errors
    own, session = re.fullmatch(r"(\d+) /autogroup-\d+ nice (\d+)\s*", done.output).groups()  # type: ignore[union-attr]
    return int(own), int(session)


def test_the_whole_session_is_nice(tmp_path: Path) -> None:
    argv = [sys.executable, "-I", "-c", SAYS]
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert said(argv, tmp_path, 0) == (before, 0)
    assert said(argv, tmp_path, 7) == (min(19, before + 7), 7)


def test_the_nicest_run_only_on_what_is_idle(tmp_path: Path) -> None:
    asks = "import os; print(os.sched_getscheduler(0) == os.SCHED_IDLE)"
    seen = [process.run([sys.executable, "-I", "-c", asks], cwd=tmp_path, env={}, deadline=20, nice=nice).output
            for nice in (0, 10, 19)]
    assert seen == ["False\n", "False\n", "True\n"]


def test_the_nicest_leave_half_of_the_processors_alone(tmp_path: Path) -> None:
    asks = "import os; print(len(os.sched_getaffinity(0)))"
    seen = [int(process.run([sys.executable, "-I", "-c", asks], cwd=tmp_path, env={}, deadline=20, nice=nice).output)
            for nice in (10, 19)]
    ours = len(os.sched_getaffinity(0))
    assert seen == [ours, ours - ours // 2]


def test_many_at_once_are_all_nice(tmp_path: Path) -> None:
    """The kernel takes one wish a tenth of a second from those who are not root."""
    log = tmp_path / "log"
    started = [process.start([sys.executable, "-I", "-c", SAYS], cwd=tmp_path, env={}, log=log, nice=19)
               for _ in range(4)]
    assert [each.wait(20) for each in started] == [0] * 4
    assert re.findall(r"autogroup-\d+ nice (\d+)", log.read_text()) == ["19"] * 4


def test_the_box_does_not_get_out_of_it(tmp_path: Path) -> None:
    launch = Launch("app", (sys.executable, "-I", "-c", SAYS), {"PATH": os.defpath}, tmp_path, 0,
                    readable=(tmp_path, Path(sys.base_prefix), Path(sys.prefix)))
    argv, env = boxed(find_box(), launch, writable=[], readable=[], network="host")
    assert said(list(argv), tmp_path, 19, dict(env))[1] == 19


def test_it_gives_way(tmp_path: Path) -> None:
    """On every processor one that is nice beside one that is not: the other gets nearly all."""
    spinning = []
    for nice in (19, 0):
        log = tmp_path / str(nice)
        spinning += [process.start([sys.executable, "-I", "-c", SPINS], cwd=tmp_path, env={}, log=log, nice=nice)
                     for _ in range(os.cpu_count() or 1)]
    deadline = time.monotonic() + 60
    for each in spinning:
        each.wait(deadline - time.monotonic())
    nice, plain = (sum(map(int, (tmp_path / str(each)).read_text().split())) for each in (19, 0))
    assert nice < plain / 2, f"{nice} turns beside {plain}"
