"""Running programs to their end, starting them for good, and ending them."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from aiimprove.process.identity import Identity

KEPT_OUTPUT = 256 * 1024
LOWEST = 19
_WISHES = 10


@dataclass(frozen=True)
class Finished:
    """How a program ended. `exit_code` is negative for a signal; output is the last 256 KB of each stream."""

    exit_code: int
    output: str
    errors: str
    seconds: float
    timed_out: bool


class _Tail:
    """Reads a stream to its end and keeps the last part of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._kept = bytearray()
        self._stream = stream
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while chunk := os.read(self._stream.fileno(), 65536):
            self._kept += chunk
            del self._kept[:-KEPT_OUTPUT]

    def text(self) -> str:
        self._thread.join(1.0)
        return self._kept.decode(errors="replace")


def run(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], deadline: float, stdin: bytes = b"",
        nice: int = 0, log: Path | None = None, die_with_parent: bool = False) -> Finished:
    """Runs a program to its end in a group of its own, which is killed after `deadline` seconds.

    With `log` both streams are appended to that file instead of being returned. With `die_with_parent` the program
    does not outlive us, however we end. Raises OSError when it cannot start.
    """
    began = time.monotonic()
    target = _append(log) if log else subprocess.PIPE
    try:
        child = subprocess.Popen(argv, cwd=cwd, env=dict(env), stdin=subprocess.PIPE, stdout=target, stderr=target,
                                 start_new_session=True, preexec_fn=_before_exec(nice, die_with_parent))
    finally:
        if log:
            os.close(target)
    tails = [_Tail(stream) if stream else None for stream in (child.stdout, child.stderr)]
    threading.Thread(target=_feed, args=(child.stdin, stdin), daemon=True).start()
    timed_out = not _ended(child, deadline)
    output, errors = [tail.text() if tail else "" for tail in tails]
    return Finished(child.returncode, output, errors, time.monotonic() - began, timed_out)


def _ended(child: subprocess.Popen[bytes], deadline: float) -> bool:
    """Waits for the child and ends what is left of its group; False when the deadline ended it."""
    identity = Identity.of(child.pid)
    try:
        return identity is None or identity.wait(deadline)
    finally:
        _kill_group(child.pid)  # before the child is reaped: until then nobody else can get its pid
        child.wait()


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _feed(stream: IO[bytes] | None, content: bytes) -> None:
    if stream is None:
        return
    try:
        with stream:
            stream.write(content)
    except BrokenPipeError:
        return


def start(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path, nice: int = 0,
          die_with_parent: bool = False) -> subprocess.Popen[bytes]:
    """Starts a program in a session of its own, writing both streams to the end of `log`.

    With `die_with_parent` it is killed when the thread that started it ends.
    """
    target = _append(log)
    try:
        return subprocess.Popen(argv, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=target, stderr=target,
                                start_new_session=True, preexec_fn=_before_exec(nice, die_with_parent))
    finally:
        os.close(target)


def _append(log: Path) -> int:
    log.parent.mkdir(parents=True, exist_ok=True)
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)


def _before_exec(nice: int, die_with_parent: bool) -> Callable[[], None] | None:
    if not nice and not die_with_parent:
        return None
    libc = ctypes.CDLL(None)
    set_parent_death_signal, parent = 1, os.getpid()

    def prepare() -> None:
        os.nice(nice)
        _lower_session(nice)
        if nice >= LOWEST:
            _only_when_idle()
        if die_with_parent:
            libc.prctl(set_parent_death_signal, signal.SIGKILL)
            if os.getppid() != parent:  # it ended before we had asked for its end
                os._exit(1)

    return prepare


def _only_when_idle() -> None:
    """A processor that runs nothing else counts as free to everybody who wakes up; the half of them is left alone,
    since who wakes up there would find cold caches and a kernel that is busy with files (bench/proof_impact.py)."""
    with suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[len(allowed) // 2:])


def _lower_session(nice: int) -> None:
    """Linux weighs whole sessions against each other (autogroups), and by nice only within one: without this a nice
    session has as much of the processor as any other."""
    for _ in range(_WISHES if nice else 0):
        try:
            group = os.open("/proc/self/autogroup", os.O_WRONLY | os.O_CLOEXEC)
            os.write(group, str(nice).encode())
        except BlockingIOError:
            select.select((), (), (), 0.1)  # the kernel takes one wish in so much time, from all of us
        except OSError:
            return
        else:
            return


@contextmanager
def uninterrupted() -> Iterator[None]:
    """INT and TERM reach us only when the block is done: for what must not be left half started."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {each: signal.signal(each, lambda got, _: came.append(got)) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for each in came[:1]:
            signal.raise_signal(each)


def stop(identity: Identity, seconds: float) -> None:
    """Asks the process's group to end, kills what is left after `seconds`, and returns when the process is gone."""
    if identity.alive():
        identity.signal_group(signal.SIGTERM)
        identity.wait(seconds)
    identity.signal_group(signal.SIGKILL)
    identity.wait(5.0)
