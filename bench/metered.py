"""A command, and the processor seconds of everything that it started: `python bench/metered.py FILE COMMAND ...`.

Writes the seconds into FILE, and ends as the command does. Whoever loses his parent on the way becomes a child of this
one (PR_SET_CHILD_SUBREAPER, prctl(2)), so that what ended is in it. Of what ends with its box the kernel keeps no
account (the first process of a process namespace does not wait for the others): those are looked at five times a
second, and what they used after the last look is not in it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
LOOK_SECONDS = 0.2
TICKS = os.sysconf("SC_CLK_TCK")


def main(file: str, command: list[str]) -> int:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    seen: dict[tuple[int, str], float] = {}
    over = threading.Event()
    watching = threading.Thread(target=_watch, args=(seen, over))
    watching.start()
    child = subprocess.Popen(command)
    ended, status = 0, 0
    while ended != child.pid:
        ended, status = os.wait()
    over.set()
    watching.join()
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    Path(file).write_text(f"{used.ru_utime + used.ru_stime + sum(seen.values()):.2f}")
    return os.waitstatus_to_exitcode(status)


def _watch(seen: dict[tuple[int, str], float], over: threading.Event) -> None:
    """Notes what each process in a box below us has used, by its id and start."""
    while not over.wait(LOOK_SECONDS):
        pids = [int(each) for each in os.listdir("/proc") if each.isdigit()]
        every = {pid: fields for pid in pids if (fields := _fields(pid))}
        for pid, fields in every.items():
            if _below_us(pid, every) and _in_a_box(pid):
                seen[pid, fields[19]] = (int(fields[11]) + int(fields[12])) / TICKS


def _fields(pid: int) -> list[str]:
    """What proc(5) says of it, from its state on: the parent stands second, the times 12th and 13th, the start 20th."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _below_us(pid: int, every: dict[int, list[str]]) -> bool:
    while pid in every and pid != os.getpid():
        pid = int(every[pid][1])
    return pid == os.getpid()


def _in_a_box(pid: int) -> bool:
    """Whether it lives in a process namespace of its own, and is not the first one there."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    inner = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
    return len(inner) > 1 and inner[-1] != "1"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
