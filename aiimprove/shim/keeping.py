"""Starts a program, waits for its death, starts it again."""

import contextlib
import os
import select
import signal
import socket
import time
from typing import Any, NoReturn

from aiimprove.rotation import cut
from aiimprove.shim.farewell import Held, listeners, say_goodbye
from aiimprove.shim.handover import Handover, Leaving
from aiimprove.shim.lease import Lease
from aiimprove.shim.leftovers import end_family, end_leftovers
from aiimprove.shim.notes import identity, read_json, runs, say, write_json
from aiimprove.shim.sockets import above, listener, taken_over

LOG_BYTES, LOG_SECONDS = 20_000_000, 2.0


def write_to(log: str) -> None:
    """Both streams go to the end of the log, which may have been moved away since."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)


class Shim:
    def __init__(self, home: str) -> None:
        self.home, self.spec = home, read_json(os.path.join(home, "spec.json")) or {}
        self.child: dict[str, Any] | None = None
        self.pidfd, self.waken = -1, -1
        self.sockets: list[socket.socket] = []
        self.exits: dict[int, int] = {}
        self.listeners: Held = []
        self.handover: Handover | None = None
        self.leaving: list[Leaving] = []
        self.failed = 0
        self.restarts: int = 0
        self.last_exit: int | None = None
        self.pause, self.spawned, self.due, self.kill_at = 0.0, 0.0, 0.0, float("inf")
        self.asked: set[int] = set()
        self.poll = select.poll()
        self.guard = Lease(self.spec["guard"]) if self.spec.get("guard") else None

    def listen_to_signals(self) -> None:
        self.waken, waker = [above(end) for end in os.pipe()]
        for end in (self.waken, waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        self.poll.register(self.waken, select.POLLIN)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, lambda got, _: self.asked.add(got))

    def note(self, stopped: bool = False) -> None:
        write_json(os.path.join(self.home, "state.json"), {
            "shim": identity(os.getpid()), "restarts": self.restarts, "last_exit": self.last_exit, "stopped": stopped,
            "failed": self.failed, "handing_over": self.handover is not None,
            "leaving": self.others()})

    def others(self) -> list[dict[str, Any]]:
        """Who runs besides the program, and is to end: what it replaced."""
        return [each.child for each in self.leaving] + ([self.handover.child] if self.handover else [])

    def bind(self) -> None:
        """Opens the sockets of the spec and closes others; raises OSError when an address is taken."""
        wanted = [tuple(address) for address in self.spec.get("listen", [])]
        held = {own.getsockname()[:2]: own for own in self.sockets}
        self.sockets = [held.get(address) or listener(*address) for address in wanted]
        for address in held.keys() - set(wanted) if self.handover is None else ():
            held[address].close()

    def adopt(self) -> bool:
        """Takes over a program whose shim died."""
        child = read_json(os.path.join(self.home, "child.json"))
        if child is None or not runs(child):
            return False
        before = read_json(os.path.join(self.home, "state.json")) or {}
        self.restarts, self.last_exit = before.get("restarts", 0), before.get("last_exit")
        for other in before.get("leaving", []):
            if other != child and runs(other):
                os.killpg(other["pid"], signal.SIGTERM)
        self.follow(child)
        self.sockets = taken_over(self.pidfd, child["pid"]) if self.spec.get("listen") else []
        return True

    def follow(self, child: dict[str, Any]) -> None:
        self.child, self.pidfd, self.spawned = child, above(os.pidfd_open(child["pid"])), time.monotonic()
        self.poll.register(self.pidfd, select.POLLIN)
        self.note()

    def spawn(self) -> None:
        """Starts the program; returns once it was executed. Raises OSError when an address is taken."""
        self.bind()
        write_to(self.spec["log"])
        executed, executing = [above(end) for end in os.pipe()]
        pid = os.fork()
        if pid == 0:
            self.become_program()
        os.close(executing)
        os.read(executed, 1)
        os.close(executed)
        try:
            self.follow(identity(pid))
        except OSError:  # the folder is gone: nobody could ever find what we just started
            os.kill(pid, signal.SIGKILL)
            raise

    def become_program(self) -> NoReturn:
        """In the child, which holds the shim's lock until exec: so it is on record before another shim can look."""
        try:
            os.setsid()
            for handled in (signal.SIGPIPE, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
                signal.signal(handled, signal.SIG_DFL)
            write_json(os.path.join(self.home, "child.json"), identity(os.getpid()))
            for number, own in enumerate(self.sockets, 3):
                os.dup2(own.fileno(), number)
            os.chdir(self.spec["cwd"])
            os.execvpe(self.spec["argv"][0], self.spec["argv"], self.spec["env"])
        except OSError as error:
            say(f"cannot start {self.spec['argv'][0]}: {error}")
        finally:
            os._exit(127)

    def reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if self.child and ended[0] == self.child["pid"]:
                    self.exits[ended[0]] = os.waitstatus_to_exitcode(ended[1])

    def bury(self) -> None:
        """The program died: ends what it left behind and sets when it is started again."""
        assert self.child is not None
        if self.handover and self.child is not self.handover.child:
            self.bury_the_new()
            return
        end_leftovers(self.child["pid"])
        self.reap()
        if self.spec.get("whole_family"):
            end_family()
        say_goodbye(self.listeners)
        self.listeners = []
        self.last_exit = self.exits.pop(self.child["pid"], None)
        self.poll.unregister(self.pidfd)
        os.close(self.pidfd)
        if time.monotonic() - self.spawned >= self.spec.get("healthy_seconds", 3.0):
            self.pause = 0.0
        self.child, self.pidfd, self.kill_at, self.restarts = None, -1, float("inf"), self.restarts + 1
        self.put_off()

    def bury_the_new(self) -> None:
        """What should have taken over died before it was ready."""
        assert self.child is not None and self.handover is not None
        end_leftovers(self.child["pid"])
        self.reap()
        self.poll.unregister(self.pidfd)
        os.close(self.pidfd)
        self.handover.undo()

    def put_off(self) -> None:
        self.due = time.monotonic() + self.pause
        self.pause = min(max(0.1, self.pause * 2), self.spec.get("longest_pause", 5.0))

    def start_if_due(self) -> None:
        if self.child is None and time.monotonic() >= self.due:
            try:
                self.spawn()
            except OSError as error:
                say(f"cannot start: {error}")
                self.put_off()

    def ask_to_end(self) -> None:
        self.kill_at = time.monotonic() + self.spec.get("stop_seconds", 10.0)
        if self.child and runs(self.child):
            self.listeners += listeners(self.child["pid"])
            os.killpg(self.child["pid"], self.spec.get("stop_signal", signal.SIGTERM))

    def restart(self) -> None:
        self.asked.discard(signal.SIGHUP)
        if self.spec.get("hand_over") and self.child and runs(self.child) and self.handover is None:
            try:
                Handover(self, read_json(os.path.join(self.home, "spec.json")) or self.spec)
            except OSError as error:
                say(f"cannot start: {error}")
            return
        self.spec = read_json(os.path.join(self.home, "spec.json")) or self.spec
        self.pause = 0.0
        self.ask_to_end()

    def patience(self) -> float:
        """Milliseconds that nothing is due for."""
        now = time.monotonic()
        waits = [LOG_SECONDS, self.kill_at - now if self.child else self.due - now]
        waits += [1.0] if self.guard else []
        waits += [0.1] if self.handover or self.leaving else []
        return max(0.0, min(waits)) * 1000

    def wait(self) -> None:
        """Until something happens; buries the program when that was its death."""
        events = dict(self.poll.poll(self.patience()))
        with contextlib.suppress(BlockingIOError):
            os.read(self.waken, 4096)
        if self.child and time.monotonic() >= self.kill_at and runs(self.child):
            os.killpg(self.child["pid"], signal.SIGKILL)
            self.kill_at = float("inf")
        if self.pidfd in events:
            self.bury()
        if self.handover:
            self.handover.look()
        self.leaving = [each for each in self.leaving if not each.gone()]
        self.reap()
        cut(self.spec["log"], self.spec.get("log_bytes") or LOG_BYTES)

    def keep(self) -> None:
        while not self.asked & {signal.SIGTERM, signal.SIGINT}:
            if signal.SIGHUP in self.asked:
                self.restart()
            self.start_if_due()
            if self.guard:
                self.guard.look()
            self.wait()
        for own in self.sockets:
            own.close()
        for other in filter(runs, self.others()):
            os.killpg(other["pid"], signal.SIGKILL)
        self.ask_to_end()
        while self.child:
            self.wait()
        self.note(stopped=True)
