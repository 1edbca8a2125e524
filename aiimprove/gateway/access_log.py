"""The gateway's access log: one JSON line for each answer, read on from where one stopped, across rotations."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True)
class Cursor:
    """A place in the log: a file, by its inode, and the bytes of it that were read."""

    inode: int = 0
    offset: int = 0


@dataclass(frozen=True)
class Answer:
    """One answer to a visitor. `at` is its end by the wall clock. `finished` is False when the visitor or the service
    broke off. `failed_candidate`: the candidate failed, and the stable release answered in its place. `tried_again`:
    the stable release `release` did not answer, so it was asked again, or the other slot was, which may have helped."""

    environment: str
    generation: int
    release: str
    lane: str
    service: str
    method: str
    uri: str
    status: int
    seconds: float
    at: float
    failed_candidate: bool
    finished: bool
    tried_again: bool = False


def end_of(log: Path) -> Cursor:
    try:
        stat = log.stat()
    except OSError:
        return Cursor()
    return Cursor(stat.st_ino, stat.st_size)


def read(log: Path, since: Cursor) -> tuple[list[Answer], Cursor]:
    """The answers after `since`, in the order of the log; from the oldest that is kept when its file is gone."""
    answers: list[Answer] = []
    with ExitStack() as opened:
        for file in _unread(log, since, opened):
            stat = os.fstat(file.fileno())
            offset = since.offset if stat.st_ino == since.inode and since.offset <= stat.st_size else 0
            file.seek(offset)
            content = file.read()
            complete = content[:content.rfind(b"\n") + 1]
            answers.extend(_answers(complete))
            since = Cursor(stat.st_ino, offset + len(complete))
    return answers, since


def _unread(log: Path, since: Cursor, opened: ExitStack) -> list[BinaryIO]:
    """The files to read on, oldest first. The log itself is opened first: when it is rotated just then, it stays the
    file that it was, and is recognised among the rotated ones."""
    files: dict[int, BinaryIO] = {}
    ages: list[tuple[bool, int, int]] = []
    for path in [log, *sorted(log.parent.glob(f"{log.stem}-*{log.suffix}"))]:
        with suppress(FileNotFoundError):
            file = opened.enter_context(path.open("rb"))
            stat = os.fstat(file.fileno())
            if stat.st_ino not in files:
                files[stat.st_ino] = file
                ages.append((path == log, stat.st_mtime_ns, stat.st_ino))
    inodes = [inode for _, _, inode in sorted(ages)]
    first = inodes.index(since.inode) if since.inode in inodes else 0
    return [files[inode] for inode in inodes[first:]]


def _answers(content: bytes) -> Iterator[Answer]:
    for line in content.splitlines():
        try:
            logged = json.loads(line)
        except ValueError:
            continue  # a line that a killed gateway left unfinished
        if "lane" in logged:
            yield Answer(
                logged["environment"], int(logged["generation"] or 0), logged["release"], logged["lane"],
                logged["service"], logged["request"]["method"], logged["request"]["uri"], logged["status"],
                logged["duration"], logged["ts"], "candidate_failed" in logged, "done" in logged,
                "tried_again" in logged)
