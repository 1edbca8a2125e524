"""How much of a disk folders take, and whether what is planned fits on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aiimprove.errors import NoRoom
from aiimprove.settings import Config

MEGA = 1_000_000
_ENTRIES_LEFT = 1000
"""Files and folders that must be creatable besides what is planned."""


@dataclass(frozen=True)
class Amount:
    """Bytes on disk, and how many files and folders."""

    bytes: int = 0
    entries: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.bytes + other.bytes, self.entries + other.entries)

    def __mul__(self, times: int) -> Amount:
        return Amount(self.bytes * times, self.entries * times)


def used(*paths: Path) -> Amount:
    """What files and folders take on the disk; a file with several names counts once. Links are not followed, and
    what vanishes meanwhile counts nothing."""
    seen: set[tuple[int, int]] = set()
    total = Amount()
    for path in paths:
        for found in _stats(path):
            key = (found.st_dev, found.st_ino)
            if found.st_nlink == 1 or key not in seen:
                seen.add(key)
                total += Amount(found.st_blocks * 512, 1)
    return total


def free(folder: Path) -> Amount:
    """What is left for us on the file system of a folder, or of the folder that it will be made in."""
    found = os.statvfs(_existing(folder))
    endless = found.f_files == 0  # some file systems make inodes as they are needed
    return Amount(found.f_bavail * found.f_frsize, (1 << 62) if endless else found.f_favail)


def must_fit(config: Config, what: str, wanted: Amount) -> None:
    """Raises NoRoom when `what` (about `wanted`) would leave less than `limits.free_mb` free for the state folder, or
    when a log could not begin anew. Nothing is reserved: it keeps plans away that cannot end well."""
    state, logs = config.state_folder, config.logs_folder
    left, kept = free(state), round(config.limits.free_mb * MEGA)
    if left.bytes < wanted.bytes + kept:
        raise NoRoom(f"there is no room for {what}: it needs about {_mb(wanted.bytes)} MB and limits.free_mb keeps "
                     f"{_mb(kept)} MB free, but only {_mb(left.bytes)} MB are free at {state}. {_ADVICE}")
    if left.entries < wanted.entries + _ENTRIES_LEFT:
        raise NoRoom(f"there is no room for {what}: it needs about {wanted.entries + _ENTRIES_LEFT} files and folders, "
                     f"but only {left.entries} more can be made at {state}. {_ADVICE}")
    apart = os.stat(_existing(logs)).st_dev != os.stat(_existing(state)).st_dev
    if apart and free(logs).bytes < 2 * config.limits.log_mb * MEGA:
        raise NoRoom(f"there is no room for {what}: only {_mb(free(logs).bytes)} MB are free for logs at {logs}, and "
                     f"one may hold {2 * config.limits.log_mb:g} MB (limits.log_mb, twice). {_ADVICE}")


def live_data(config: Config) -> Amount:
    """What one clone of live's data takes."""
    return used(config.state_folder / "data" / "live")


_ADVICE = "'aiimprove prune' removes what nobody needs; else make room on that disk. Nothing was started"


def _mb(number: float) -> int:
    return round(number / MEGA)


def _existing(folder: Path) -> Path:
    return next((each for each in (folder, *folder.parents) if each.exists()), Path("/"))


def _stats(path: Path) -> Iterator[os.stat_result]:
    with suppress(OSError):
        yield path.lstat()
        if path.is_dir() and not path.is_symlink():
            yield from _below(str(path))


def _below(folder: str) -> Iterator[os.stat_result]:
    waiting = [folder]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    yield entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
