"""A log whose writer never opens it again is cut in place: its end is copied to NAME.1, and the file begins anew.

Every writer of ours appends (O_APPEND), so what it writes next stands at the new beginning. Shims use this too: only
the standard library.
"""

import contextlib
import fcntl
import os
import stat

OLDER = ".1"


def cut(path: str, most: int) -> bool:
    """Begin a log anew when it holds more than `most` bytes; whether that was so. Its last `most` bytes stay beside it.

    What is written in the microseconds between the copy and the cut is lost. When the disk is full, so is the copy:
    room for the site is worth more. Of several processes at once, one does it.
    """
    try:
        log = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return _cut(log, path, most)
    finally:
        os.close(log)


def _cut(log: int, path: str, most: int) -> bool:
    try:
        fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    found = os.fstat(log)
    if found.st_size <= most or not stat.S_ISREG(found.st_mode):
        return False
    draft = f"{path}{OLDER}.next"
    try:
        _copy_end(log, draft, most)
        os.replace(draft, path + OLDER)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(draft)
    os.ftruncate(log, 0)
    return True


def _copy_end(log: int, target: str, most: int) -> None:
    """The last bytes of the log as it is now, and what is added while they are copied, as far as it is little."""
    copy = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    try:
        begin = max(0, os.fstat(log).st_size - most)
        end = begin + 2 * most
        while begin < end and (sent := os.sendfile(copy, log, begin, end - begin)):
            begin += sent
    finally:
        os.close(copy)
