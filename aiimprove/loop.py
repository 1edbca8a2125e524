"""`run` while it runs. Two lanes, so that a proof never delays a health check or an approved deployment: one looks
after what is live, the other makes improvements. It may die at any time: live goes on without it."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from aiimprove import process
from aiimprove.config import inherited
from aiimprove.due import Due
from aiimprove.lifecycle import STEPS
from aiimprove.lock import held
from aiimprove.workspace import Workspace

_LOG = logging.getLogger("aiimprove")
_ENV = ("PATH", "HOME", "LANG", "TZ", "XDG_STATE_HOME", "AIIMPROVE_STATE", "AIIMPROVE_REPOSITORY")
_URGENT = ("deploy", "settle")
_SHORTEST_REST = 0.2


def loop(workspace: Workspace) -> None:
    """Run until SIGTERM or Ctrl-C. Raises Locked when another `run` is at it."""
    with held(workspace.store, "run", "run"):
        lanes = Lanes(workspace)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lanes.stop)
        signal.signal(signal.SIGUSR1, lanes.wake)
        lanes.run()


class Lanes:
    """Two threads, one wake-up each, one stop."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._stopping = threading.Event()
        self._wakes = {"live": threading.Event(), "work": threading.Event()}
        self._children: set[process.Identity] = set()

    def run(self) -> None:
        """Run both lanes until told to stop, and wait for what they have under way."""
        threads = [threading.Thread(target=lane) for lane in (self._live_lane, self._work_lane)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def stop(self, *_: object) -> None:
        """End soon: steps under way are interrupted and undo what they must."""
        self._stopping.set()
        for child in tuple(self._children):
            child.signal(signal.SIGTERM)
        self.wake()

    def wake(self, *_: object) -> None:
        """Look now: somebody answered."""
        for each in self._wakes.values():
            each.set()

    def _live_lane(self) -> None:
        own = replace(self.workspace)
        every, due, health_at = own.config.intervals, Due(own), 0.0
        while not self._stopping.is_set():
            if time.monotonic() >= health_at:
                health_at = time.monotonic() + every.health
                self._guarded("health", lambda: bool(STEPS["health"](own)))
            if self._take("settle", due.settle) | self._take("deploy", due.deploy):
                self._wakes["work"].set()
            self._take("preview", due.preview)
            self._rest("live", min(every.approvals, health_at - time.monotonic()))

    def _work_lane(self) -> None:
        due, every = Due(replace(self.workspace)), self.workspace.config.intervals
        seconds = {"analyze": every.analyze, "generate": every.generate, "test": every.test,
                   "request-approval": every.test}
        questions = {"analyze": due.analyze, "generate": due.generate, "test": due.test,
                     "request-approval": due.request}
        at = dict.fromkeys(seconds, 0.0)
        while not self._stopping.is_set():
            for name, question in questions.items():
                if time.monotonic() < at[name]:
                    continue
                at[name] = time.monotonic() + seconds[name]
                if self._take(name, question):
                    at |= {each: 0.0 for each in at if each != "analyze"}
            if self._rest("work", min(at.values()) - time.monotonic()):
                at |= {each: 0.0 for each in at if each != "analyze"}

    def _rest(self, lane: str, seconds: float) -> bool:
        """Wait, at most these seconds; whether somebody woke the lane before."""
        wake = self._wakes[lane]
        woken = self._stopping.is_set() or wake.wait(max(_SHORTEST_REST, seconds))
        wake.clear()
        return woken

    def _take(self, name: str, question: Callable[[], bool]) -> bool:
        """Take a step in a process of its own when it is due; whether it did something."""
        if self._stopping.is_set() or not self._guarded(name, question):
            return False
        config = self.workspace.config
        child = process.start([sys.executable, "-P", "-m", "aiimprove.lifecycle", name], cwd=config.repository,
                              env=inherited(*_ENV), log=config.logs_folder / "ai_system.log",
                              nice=0 if name in _URGENT else 10)
        identity = process.Identity.of(child.pid)
        if identity is not None:
            self._children.add(identity)
        code = child.wait()
        self._children -= {identity} if identity else set()
        return code == 0

    def _guarded(self, name: str, question: Callable[[], bool]) -> bool:
        """The loop outlives whatever goes wrong in one look."""
        try:
            return question()
        except Exception:  # noqa: BLE001 -- the loop is one of the two places where any failure ends
            _LOG.exception("%s failed", name)
            return False
