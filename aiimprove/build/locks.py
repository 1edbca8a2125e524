"""Locks between processes that are freed by any death of their holder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Waits until nobody else is in here."""
    with _held(path, fcntl.LOCK_EX) as got:
        assert got
        yield


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Waits until nobody is in `alone`."""
    with _held(path, fcntl.LOCK_SH) as got:
        assert got
        yield


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """False, without waiting, when anybody else is in here."""
    with _held(path, fcntl.LOCK_EX | fcntl.LOCK_NB) as got:
        yield got


@contextmanager
def _held(path: Path, kind: int) -> Iterator[bool]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _locked(descriptor, kind)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind)
    except BlockingIOError:
        return False
    return True
