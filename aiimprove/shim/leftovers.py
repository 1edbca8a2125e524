"""What a dead program leaves behind."""

import contextlib
import os
import signal

from aiimprove.shim.notes import children_of, session_of

MOST_GENERATIONS = 100


def end_leftovers(pid: int) -> None:
    """Kills what is left of a dead program's session. Nothing else, although other orphans may have come to this
    shim: a program may have started further shims, and those and what they keep belong to nobody."""
    for name in os.listdir("/proc"):
        if name.isdigit() and session_of(int(name)) == pid:
            with contextlib.suppress(OSError):
                os.kill(int(name), signal.SIGKILL)


def end_family() -> None:
    """Kills everybody who descends from us: what a killed one had started comes to us, so we look again and again."""
    for _ in range(MOST_GENERATIONS):
        children = children_of(os.getpid())
        if not children:
            return
        for pid in children:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
