"""A shim's process: alone for its program, and nobody's child."""

import ctypes
import fcntl
import os
import signal

from aiimprove.shim.keeping import Shim, write_to
from aiimprove.shim.notes import say
from aiimprove.shim.sockets import above

ALREADY_KEPT, ADDRESS_TAKEN = 75, 98
_PR_SET_CHILD_SUBREAPER = 36


def be_the_only_one(path: str) -> None:
    """Takes the lock for good; waits a moment for a program that is just being executed."""
    lock = above(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    signal.signal(signal.SIGALRM, lambda *_: os._exit(ALREADY_KEPT))
    signal.alarm(2)
    fcntl.flock(lock, fcntl.LOCK_EX)
    signal.alarm(0)


def detach() -> int:
    """Goes on in a child that belongs to nobody; the parent ends when that says it is ready, or with its exit code."""
    ready, getting_ready = [above(end) for end in os.pipe()]
    pid = os.fork()
    if pid == 0:
        os.close(ready)
        os.setsid()
        return getting_ready
    os.close(getting_ready)
    os._exit(0 if os.read(ready, 1) else os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def forget_the_starter() -> None:
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def main(spec: str) -> int:
    home = os.path.dirname(os.path.abspath(spec))
    ready = detach()
    be_the_only_one(os.path.join(home, "lock"))
    forget_the_starter()
    shim = Shim(home)
    shim.listen_to_signals()
    try:
        adopted = shim.adopt()
        if not adopted:
            shim.spawn()
    except OSError as error:
        say(str(error))
        return ADDRESS_TAKEN
    write_to(shim.spec["log"])
    if not told(ready) and not adopted:
        shim.asked.add(signal.SIGTERM)
    shim.keep()
    return 0


def told(ready: int) -> bool:
    """Whether whoever wanted the program still was there to hear that it runs."""
    try:
        os.write(ready, b"1")
        return True
    except BrokenPipeError:
        return False
    finally:
        os.close(ready)
