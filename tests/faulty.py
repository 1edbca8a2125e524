"""`python faulty.py STATE WHAT [NUMBER] -- WORDS`: a call of the command line on which a fault falls at a chosen step.

A step is whatever lasts: a file below STATE that is opened for writing, renamed, linked or removed, a program that is
started, a transaction of a database that begins or commits. WHAT happens right before step NUMBER (the first is 1):
`kill`, `sleep` (stopped; its leases are short then), `full` (from here on no file can be opened for writing), `wait`
(until a byte comes on stdin). NUMBER may be the name of a step, or a part of it: its first time. `list` only prints the
steps' names on stderr, one a line; `early` has a clock that is an hour late.
"""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

FILES = {"open": 0, "os.rename": 1, "os.symlink": 1, "os.link": 1, "os.remove": 0, "os.mkdir": 0, "os.rmdir": 0}
SLEEPERS_LEASE = 1.0
MARK = "step: "


class Steps:
    """Counts the steps of this process's main thread, and lets the fault fall."""

    def __init__(self, state: str, what: str, where: str) -> None:
        self.state, self.what, self.count = state, what, 0
        self.number, self.name = (int(where), "") if where.isdigit() else (sys.maxsize, where)
        self.pid, self.inside = os.getpid(), False

    def audit(self, event: str, words: tuple[Any, ...]) -> None:
        if event in FILES and self._lasts(event, words):
            self.step(event, os.path.basename(str(words[FILES[event]])))
            if self.what == "full" and self.count >= self.number and event in ("open", "os.mkdir", "os.symlink"):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(words[FILES[event]]))
        elif event == "subprocess.Popen":
            self.step(event, " ".join(os.path.basename(str(word)) for word in words[1][:6]))

    def follow(self, opened: Callable[..., sqlite3.Connection]) -> Callable[..., sqlite3.Connection]:
        """The same opening of a database, whose transactions are steps then."""
        def followed(*words: Any) -> sqlite3.Connection:
            connection = opened(*words)
            connection.set_trace_callback(self.sql)
            return connection
        return followed

    def sql(self, statement: str) -> None:
        if statement.startswith(("BEGIN IMMEDIATE", "COMMIT")):
            self.step("sql", statement)

    def step(self, event: str, name: str) -> None:
        if os.getpid() != self.pid or threading.current_thread() is not threading.main_thread() or self.inside:
            return
        self.count += 1
        if self.name and self.name in f"{event} {name}":
            self.number, self.name = self.count, ""
        if self.what == "list":
            self.inside = True
            os.write(2, f"{MARK}{event} {name}\n".encode())
            self.inside = False
        elif self.count == self.number and self.what in ("kill", "sleep"):
            os.kill(self.pid, signal.SIGKILL if self.what == "kill" else signal.SIGSTOP)
        elif self.count == self.number and self.what == "wait":
            os.write(2, f"{MARK}{event} {name}\n".encode())
            os.read(0, 1)

    def _lasts(self, event: str, words: tuple[Any, ...]) -> bool:
        path = words[FILES[event]]
        flags = words[2] if event == "open" and isinstance(words[2], int) else os.O_WRONLY
        return str(path).startswith(self.state) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def main(words: list[str]) -> None:
    split = words.index("--")
    state, what, *number = words[:split]
    from aiimprove import lock
    from aiimprove.store import trail
    from commands.app import main as command

    if what == "early":
        clock = time.time
        time.time = lambda: clock() - 3600
    if what == "sleep":
        lock.LEASE_SECONDS = SLEEPERS_LEASE
    sys.argv = ["aiimprove", *words[split + 1:]]
    steps = Steps(state, what, *number)
    vars(trail)["open_database"] = steps.follow(trail.open_database)
    sys.addaudithook(steps.audit)
    command()


if __name__ == "__main__":
    main(sys.argv[1:])
