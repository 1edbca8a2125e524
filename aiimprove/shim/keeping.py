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
from aiimprove.shim.lease import Lease
from aiimprove.shim.notes import children_of, identity, read_json, runs, say, session_of, write_json
from aiimprove.shim.sockets import above, listener, taken_over

MOST_GENERATIONS = 100
LOG_BYTES, LOG_SECONDS = 20_000_000, 2.0


def write_to(log: str) -> None:
    """Both streams go to the end of the log, which may have been moved away since."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)


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


class Shim:
    def __init__(self, home: str) -> None:
        self.home, self.spec = home, read_json(os.path.join(home, "spec.json")) or {}
        self.child: dict[str, Any] | None = None
        self.pidfd, self.waken = -1, -1
        self.sockets: list[socket.socket] = []
        self.exits: dict[int, int] = {}
        self.listeners: Held = []
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
            "shim": identity(os.getpid()), "restarts": self.restarts, "last_exit": self.last_exit, "stopped": stopped})

    def bind(self) -> None:
        """Opens the sockets of the spec and closes others; raises OSError when an address is taken."""
        wanted = [tuple(address) for address in self.spec.get("listen", [])]
        held = {own.getsockname()[:2]: own for own in self.sockets}
        self.sockets = [held.get(address) or listener(*address) for address in wanted]
        for address in held.keys() - set(wanted):
            held[address].close()

    def adopt(self) -> bool:
        """Takes over a program whose shim died."""
        child = read_json(os.path.join(self.home, "child.json"))
        if child is None or not runs(child):
            return False
        before = read_json(os.path.join(self.home, "state.json")) or {}
        self.restarts, self.last_exit = before.get("restarts", 0), before.get("last_exit")
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
        end_leftovers(self.child["pid"])
        self.reap()
        if self.spec.get("whole_family"):
            end_family()
        say_goodbye(self.listeners)
        self.listeners = []
        self.last_exit = self.exits.pop(self.child["pid"], None)
        self.poll.unregister(self.pidfd)
        os.close(self.pidfd)
        if time.monotonic() - self.spawned >= self.spec.get("healthy_seconds", 10.0):
            self.pause = 0.0
        self.child, self.pidfd, self.kill_at, self.restarts = None, -1, float("inf"), self.restarts + 1
        self.put_off()

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
            os.killpg(self.child["pid"], signal.SIGTERM)

    def restart(self) -> None:
        self.asked.discard(signal.SIGHUP)
        self.spec = read_json(os.path.join(self.home, "spec.json")) or self.spec
        self.pause = 0.0
        self.ask_to_end()

    def patience(self) -> float:
        """Milliseconds that nothing is due for."""
        now = time.monotonic()
        waits = [LOG_SECONDS, self.kill_at - now if self.child else self.due - now]
        waits += [1.0] if self.guard else []
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
        self.ask_to_end()
        while self.child:
            self.wait()
        self.note(stopped=True)
