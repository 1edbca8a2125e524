"""Two folders change places in one step: at every moment each name stands for the one or the other."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from aiimprove.atomic import flush
from aiimprove.errors import MachineFailed

_HERE, _EXCHANGE = -100, 2
"""AT_FDCWD and RENAME_EXCHANGE of renameat2(2), Linux 3.15."""


def exchange(one: Path, other: Path) -> None:
    """Both must be there, on one file system. Raises MachineFailed; then nothing has happened."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        failed = libc.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE)
    except AttributeError:
        raise MachineFailed("this system cannot exchange two folders in one step (no renameat2)") from None
    if failed:
        raise MachineFailed(f"{one.name} and {other.name} cannot change places: {os.strerror(ctypes.get_errno())}")
    for folder in {one.parent, other.parent}:
        flush(folder)
