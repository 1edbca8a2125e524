"""One step of a build: a program of the app, run in the box, with its output in a log."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiimprove import process
from aiimprove.errors import BuildFailed
from aiimprove.journal import last_lines
from aiimprove.launch import SYSTEM_PATH, Launch
from aiimprove.sandbox import Box, Network, boxed

NICE = 10


@dataclass(frozen=True)
class Step:
    """`what` completes the sentence "... failed". `home` is a scratch HOME, `bin` folders come first in PATH."""

    what: str
    service: str
    argv: Sequence[str]
    cwd: Path
    home: Path
    bin: Sequence[Path] = ()
    writable: Sequence[Path] = ()
    readable: Sequence[Path] = ()
    mounts: Mapping[Path, Path] = field(default_factory=dict)
    network: Network = "loopback"


def take(step: Step, box: Box, seconds: float, log: Path) -> None:
    """Runs the step; BuildFailed with the end of its output when it fails or takes longer than `seconds`."""
    step.home.mkdir(parents=True, exist_ok=True)
    env = {"PATH": ":".join([*map(str, step.bin), SYSTEM_PATH]), "HOME": str(step.home), "LANG": "C.UTF-8", "CI": "1"}
    launch = Launch(step.service, tuple(step.argv), env, step.cwd, 0, None, tuple(step.readable))
    argv, env = boxed(box, launch, writable=[*step.writable, step.home], network=step.network, mounts=step.mounts)
    try:
        done = process.run(argv, cwd=step.cwd, env=env, deadline=seconds, nice=NICE, log=log,
                           die_with_parent=True)
    except OSError as error:
        raise BuildFailed(f"{step.what} of {step.service} failed: {error}") from error
    if done.exit_code or done.timed_out:
        why = f"took longer than {seconds:g} seconds" if done.timed_out else f"failed with exit code {done.exit_code}"
        raise BuildFailed(f"{step.what} of {step.service} {why}:\n{last_lines(log)}\n(all of it: {log})")


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A folder that is gone afterwards, whatever happens; its place must be ours alone."""
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def built_once(marker: Path, folder: Path, make: Callable[[], None]) -> None:
    """Makes a folder that cannot be moved: the marker, written last, says it is whole. Failed, it is gone."""
    if marker.exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        make()
        marker.touch()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
