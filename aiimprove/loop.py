"""`run` while it runs. Two lanes, so that a proof never delays a health check or an approved deployment: one looks
after what is live, the other makes improvements. It may die at any time: live goes on without it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from aiimprove import process
from aiimprove.config import inherited
from aiimprove.due import Due
from aiimprove.lifecycle import timed
from aiimprove.lock import held
from aiimprove.notify import VARIABLES, Notifier
from aiimprove.pulse import Pulse
from aiimprove.workspace import Workspace

_LOG = logging.getLogger("aiimprove")
_ENV = ("PATH", "HOME", "LANG", "TZ", "XDG_STATE_HOME", "AIIMPROVE_STATE", "AIIMPROVE_REPOSITORY")
_URGENT = ("deploy", "settle")
_PRUNE_SECONDS = 60.0
_SHORTEST_REST = 0.2
_SILENCE_SECONDS, _LOOK_SECONDS = 60.0, 120.0
"""How long a lane may be late, and how long a look at everything may take, before it counts as hung."""
_BETWEEN_BEATS = 10.0
_STEP_SECONDS, _STOP_SECONDS = 3600.0, 45.0


def loop(workspace: Workspace) -> None:
    """Run until SIGTERM or Ctrl-C; SIGUSR2 begins anew with the code that is installed now. Raises Locked when another
    `run` is at it."""
    notifier = Notifier.of(inherited(*VARIABLES))
    with held(workspace.store, "run", "run"):
        lanes = Lanes(workspace, notifier)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lanes.stop)
        signal.signal(signal.SIGUSR1, lanes.wake)
        signal.signal(signal.SIGUSR2, lanes.begin_anew)
        lanes.run()
    if lanes.again:
        _LOG.info("run: beginning anew with the code that is installed now")
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


class Lanes:
    """Two threads, one wake-up each, one stop. The main thread tells systemd that we live, as long as both lanes do."""

    def __init__(self, workspace: Workspace, notifier: Notifier | None = None) -> None:
        self.workspace = workspace
        self.again = False
        self._notifier = notifier or Notifier()
        self._pulse = Pulse()
        self._stopping = threading.Event()
        self._wakes = {"live": threading.Event(), "work": threading.Event()}
        self._children: set[process.Identity] = set()
        self._at: dict[str, str] = {}
        proof = workspace.config.proof
        self._longest = _STEP_SECONDS + 4 * (proof.tests_seconds + proof.build_seconds)

    def run(self) -> None:
        """Run both lanes until told to stop, and wait for what they have under way."""
        lanes = {"live": self._live_lane, "work": self._work_lane}
        threads = [threading.Thread(target=self._lane, args=each) for each in lanes.items()]
        for thread in threads:
            thread.start()
        self._notifier.ready()
        pause = self._notifier.watchdog_seconds / 2 or None
        while any(thread.is_alive() for thread in threads):
            next(thread for thread in threads if thread.is_alive()).join(pause)
            self._prove_alive()
        self._notifier.stopping()

    def _lane(self, name: str, lane: Callable[[], None]) -> None:
        self._pulse.expect(name, _SILENCE_SECONDS)
        lane()
        self._pulse.over(name)

    def stop(self, *_: object) -> None:
        """End soon: steps under way are interrupted and undo what they must."""
        self._notifier.stopping()
        self._end()

    def begin_anew(self, *_: object) -> None:
        """End soon, and then start again in the same process, as whatever is installed by then."""
        self.again = True
        self._notifier.tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        self._end()

    def _end(self) -> None:
        self._stopping.set()
        for child in tuple(self._children):
            child.signal(signal.SIGTERM)
        self.wake()

    def wake(self, *_: object) -> None:
        """Look now: somebody answered."""
        for each in self._wakes.values():
            each.set()

    def _prove_alive(self) -> None:
        hung = self._pulse.hung()
        if hung:
            _LOG.error("run: nothing was heard of the lane %s for too long", " and ".join(hung))
        else:
            self._notifier.alive()

    def _live_lane(self) -> None:
        own = replace(self.workspace)
        every, due, health_at = own.config.intervals, Due(own), 0.0
        while not self._stopping.is_set():
            if self._look("live", "upgrade", due.upgrade):
                self._rest("live", every.approvals)
                continue
            if time.monotonic() >= health_at:
                health_at = time.monotonic() + every.health
                self._look("live", "health", lambda: bool(timed(own, "health")))
            if self._take("live", "settle", due.settle) | self._take("live", "deploy", due.deploy):
                self._wakes["work"].set()
            self._take("live", "preview", due.preview)
            self._rest("live", min(every.approvals, health_at - time.monotonic()))

    def _work_lane(self) -> None:
        due, every = Due(replace(self.workspace)), self.workspace.config.intervals
        seconds = {"analyze": every.analyze, "generate": every.generate, "prune": _PRUNE_SECONDS}
        questions = {"analyze": due.analyze, "generate": due.generate, "test": due.test, "gate": due.gate,
                     "request-approval": due.request, "predictions": due.predictions, "pairs": due.pairs,
                     "prune": due.prune, "digest": due.digest}
        at = dict.fromkeys(questions, 0.0)
        while not self._stopping.is_set():
            for name, question in questions.items():
                if time.monotonic() < at[name] or self._look("work", "upgrade", due.upgrade):
                    continue
                at[name] = time.monotonic() + seconds.get(name, every.test)
                if self._take("work", name, question):
                    at |= {each: 0.0 for each in at if each != "analyze"}
            if self._rest("work", max(_SHORTEST_REST, min(at.values()) - time.monotonic())):
                at |= {each: 0.0 for each in at if each != "analyze"}

    def _rest(self, lane: str, seconds: float) -> bool:
        """Wait, at most these seconds; whether somebody woke the lane before."""
        wake, seconds = self._wakes[lane], max(_SHORTEST_REST, seconds)
        self._say(lane, "waiting", seconds + _SILENCE_SECONDS)
        woken = self._stopping.is_set() or wake.wait(seconds)
        wake.clear()
        return woken

    def _take(self, lane: str, name: str, question: Callable[[], bool]) -> bool:
        """Take a step in a process of its own when it is due; whether it did something."""
        if self._stopping.is_set() or not self._look(lane, name, question):
            return False
        return self._look(lane, name, lambda: self._step(lane, name) == 0)

    def _step(self, lane: str, name: str) -> int:
        config = self.workspace.config
        child = process.start([sys.executable, "-P", "-m", "aiimprove.lifecycle", name], cwd=config.repository,
                              env=inherited(*_ENV), log=config.logs_folder / "ai_system.log",
                              nice=0 if name in _URGENT else 10)
        identity = process.Identity.of(child.pid)
        if identity is not None:
            self._children.add(identity)
            if self._stopping.is_set():  # told while it was being started: whoever told did not know of it
                identity.signal(signal.SIGTERM)
            self._wait(lane, name, identity)
            self._children.discard(identity)
        return child.wait()

    def _wait(self, lane: str, name: str, child: process.Identity) -> None:
        """Until the step is over. One that takes longer than any may is ended: it must not hold up the lane."""
        until = time.monotonic() + self._longest
        self._say(lane, name, _BETWEEN_BEATS + _SILENCE_SECONDS)
        while not child.wait(_BETWEEN_BEATS):
            self._pulse.expect(lane, _BETWEEN_BEATS + _SILENCE_SECONDS)
            if time.monotonic() > until:
                _LOG.error("%s: took longer than %.0f s and was ended", name, self._longest)
                process.stop(child, _STOP_SECONDS)

    def _look(self, lane: str, name: str, question: Callable[[], bool]) -> bool:
        """The loop outlives whatever goes wrong in one look."""
        services = self.workspace.config.services
        self._pulse.expect(lane, _LOOK_SECONDS + 8 * len(services) * self.workspace.config.health.timeout_seconds)
        try:
            return question()
        except Exception:  # noqa: BLE001 -- the loop is one of the two places where any failure ends
            _LOG.exception("%s failed", name)
            return False

    def _say(self, lane: str, what: str, seconds: float) -> None:
        """Tell what a lane is at, and that it will be heard of within `seconds`."""
        self._pulse.expect(lane, seconds)
        if self._at.get(lane) != what:
            self._at[lane] = what
            self._notifier.status(", ".join(f"{name}: {words}" for name, words in sorted(self._at.items())))
