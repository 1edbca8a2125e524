"""Who keeps others from writing to a file."""

from __future__ import annotations

import os
from pathlib import Path

from aiimprove.process.identity import Identity


def stopped_lockers(file: Path) -> list[Identity]:
    """The processes that are stopped (SIGSTOP) while they hold a POSIX write lock on a file, as SQLite takes them."""
    try:
        inode = file.stat().st_ino
        rows = [row.split() for row in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        return []
    pids = {int(row[4]) for row in rows if row[1:4] == ["POSIX", "ADVISORY", "WRITE"]
            and row[5].rpartition(":")[2] == str(inode)}
    found = [Identity.of(pid) for pid in pids if pid > 0 and _has_open(pid, file)]
    return [each for each in found if each is not None and each.stopped()]


def _has_open(pid: int, file: Path) -> bool:
    """Inodes of different file systems may have the same number."""
    try:
        return any(os.path.samefile(each.path, file) for each in os.scandir(f"/proc/{pid}/fd"))
    except OSError:
        return False
