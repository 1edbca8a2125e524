"""Who a process is, so that nothing is ever done to a stranger that got its pid."""

from __future__ import annotations

import os
import select
import signal
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@cache
def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _stat(pid: int) -> tuple[str, int] | None:
    """State letter and start time in clock ticks, or None when there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[19])


@dataclass(frozen=True)
class Identity:
    """One process for good: a pid that was given to somebody else later is another identity."""

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """Who has this pid now (a zombie still has it); None when nobody."""
        stat = _stat(pid)
        return None if stat is None else cls(pid, stat[1], boot_id())

    def alive(self) -> bool:
        stat = _stat(self.pid)
        return stat is not None and stat[0] not in "ZX" and stat[1] == self.started and self.boot == boot_id()

    def signal(self, number: int) -> bool:
        """Sends a signal to exactly this process; False when it is gone."""
        descriptor = self._open()
        if descriptor is None:
            return False
        try:
            signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(descriptor)
        return True

    def signal_group(self, number: int) -> bool:
        """Sends a signal to the group that this process leads, also when only its children are left of it."""
        if Identity.of(self.pid) not in (self, None) or self.boot != boot_id():
            return False
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def wake(self) -> bool:
        """Lets a process that was stopped, and the group that it leads, go on; False when it was not."""
        return self.stopped() and self.signal_group(signal.SIGCONT)

    def stopped(self) -> bool:
        """Whether it sleeps by SIGSTOP, or by Ctrl-Z at a terminal."""
        stat = _stat(self.pid)
        return stat is not None and stat[0] == "T" and self.alive()

    def wait(self, seconds: float) -> bool:
        """True once the process is gone, False when it still runs after `seconds`."""
        descriptor = self._open()
        if descriptor is None:
            return True
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(max(0.0, seconds) * 1000))
        finally:
            os.close(descriptor)

    def _open(self) -> int | None:
        try:
            descriptor = os.pidfd_open(self.pid)
        except (ProcessLookupError, OSError):
            return None
        if self.alive():
            return descriptor
        os.close(descriptor)
        return None
