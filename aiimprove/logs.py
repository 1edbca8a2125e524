"""The logs of one app, kept within what the config allows; it is files of the running that are cut, never removed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from aiimprove.disk import MEGA
from aiimprove.release import Environment
from aiimprove.rotation import OLDER, cut
from aiimprove.settings import Config

BUILDS = "build-"
_GATEWAY = "gateway"
"""Caddy rolls its own logs, and knows best when."""
_DEPTH = 4


def cut_all(config: Config) -> list[str]:
    """Begin every log anew that holds more than `limits.log_mb`; the names of those. Shims do the same for what they
    keep, every other second; this is for builds, tests and private copies, which have none."""
    most = round(config.limits.log_mb * MEGA)
    return [log.name for log in _written(config) if cut(str(log), most)]


def prune(config: Config, in_use: Collection[Path]) -> list[str]:
    """Remove the oldest logs of builds and of services that run no more until what stays of them is within
    `limits.logs_mb`; what the names live_... and dev_... point to stays, and what is `in_use`."""
    linked = {log.resolve() for log in config.logs_folder.glob("*.log") if log.is_symlink()}
    kept = {*linked, *(log.resolve() for log in in_use)}
    ended = [log for log in _pieces(config) if log.with_name(log.name.removesuffix(OLDER)).resolve() not in kept]
    ages = sorted(((log.stat().st_mtime, log.stat().st_size, log) for log in ended), reverse=True)
    gone, total = [], 0
    for _, size, log in ages:
        total += size
        if total > config.limits.logs_mb * MEGA:
            log.unlink(missing_ok=True)
            gone.append(log.name)
    return gone


def _pieces(config: Config) -> Iterator[Path]:
    starts = (BUILDS, *(f"{environment}-" for environment in Environment))
    for log in config.logs_folder.glob("*.log*"):
        if log.name.startswith(starts) and not log.is_symlink() and log.is_file():
            yield log


def _written(config: Config) -> Iterator[Path]:
    yield from (log for log in config.logs_folder.glob("*.log") if not log.name.startswith(_GATEWAY))
    work = config.state_folder / "work"
    for depth in range(1, _DEPTH):
        yield from work.glob("*/" * depth + "*.log")
