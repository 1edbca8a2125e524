"""`down` leaves nothing: a box whose maker was killed half way through making it waits for ever."""

from __future__ import annotations

import signal
import subprocess

import pytest
from tiny import Tiny

from aiimprove.sandbox import end_boxes, find_box


def test_only_the_box_is_ended(tiny: Tiny) -> None:
    program, work = find_box().program, tiny.state / "work" / "migration"
    if not program.endswith("bwrap"):
        pytest.skip("boxes are not made of processes here")
    work.mkdir(parents=True)
    (work / "log").touch()
    left = [subprocess.Popen([program, "--ro-bind", "/", "/", "--bind", str(work), str(work), "sleep", "60"]),
            subprocess.Popen(["tail", "-f", str(work / "log")])]
    try:
        end_boxes(tiny.state / "work", 0.5)
        assert left[0].wait(10) == -signal.SIGKILL and left[1].poll() is None
    finally:
        for each in left:
            each.kill()
            each.wait()
