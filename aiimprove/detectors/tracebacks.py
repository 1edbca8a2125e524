"""Python tracebacks in a log: what was raised, where in the app, and by which request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NEARBY_LINES = 12
_START = "Traceback (most recent call last):"
_MARGIN = re.compile(r"^[ ]*[|+][ ]?")
_FRAME = re.compile(r'^\s*File "([^"]+)", line (\d+), in (.+)$')
_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?::\s?(.*))?$")
_ACCESS = re.compile(r'"(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP/[\d.]+"\s+5\d\d')
_FOREIGN = ("site-packages", "dist-packages", "/lib/python3", "<frozen", "<string>")


@dataclass(frozen=True)
class Crash:
    """One exception that reached the server. `place` is the deepest frame in the app's own files: `file:function`."""

    exception: str
    message: str
    place: str
    line: int
    method: str = ""
    path: str = ""

    @property
    def signature(self) -> str:
        return f"{self.exception} in {self.place}"


def crashes(text: str, source: Path, folder: str = ".") -> Iterator[Crash]:
    """Every traceback of a log with a frame in the tree `source`; a service's files stand in its `folder` there."""
    lines = text.splitlines()
    begin = 0
    while begin < len(lines):
        if _START not in lines[begin]:
            begin += 1
            continue
        end = _end(lines, begin)
        crash = _crash(lines, begin, end, source / folder)
        begin = end
        if crash:
            yield crash


def _end(lines: list[str], begin: int) -> int:
    """The line after a traceback and everything chained to it."""
    index = begin + 1
    while index < len(lines):
        if _raised(lines[index]) and not _continues(lines, index):
            return index + 1
        index += 1
    return index


def _continues(lines: list[str], index: int) -> bool:
    """Whether another traceback follows: of the exception that came out of this one, or of a group's part."""
    following = [_MARGIN.sub("", line).strip() for line in lines[index + 1:index + 5]]
    said = next((line for line in following if line.strip("-+ ")), "")
    chained = said.startswith(("During handling of the above", "The above exception was", _START))
    return chained or any(line.endswith("1 ----------------") for line in following[:2])


def _raised(line: str) -> re.Match[str] | None:
    """Matches the line that names the exception: the first one that is not indented."""
    bare = _MARGIN.sub("", line)
    return None if bare.startswith((" ", _START)) else _RAISED.match(bare.rstrip())


def _crash(lines: list[str], begin: int, end: int, root: Path) -> Crash | None:
    frame: tuple[str, int] | None = None
    exception, message = "", ""
    pending: tuple[str, int] | None = None
    for line in lines[begin:end]:
        if match := _FRAME.match(_MARGIN.sub("", line)):
            file = own_file(match[1], root)
            pending = (f"{file}:{match[3]}", int(match[2])) if file else pending
        elif pending and (raised := _raised(line)):
            frame, pending = pending, None
            exception, message = raised[1], raised[2] or ""
    if frame is None:
        return None
    method, path = _request(lines, begin, end)
    return Crash(exception.rpartition(".")[2], message[:300], frame[0], frame[1], method, path)


def own_file(file: str, root: Path) -> str:
    """The path of a frame's file in the tree, empty when it is not the app's own."""
    if any(mark in file for mark in _FOREIGN):
        return ""
    parts = Path(file).parts[1:] if Path(file).is_absolute() else Path(file).parts
    for start in range(len(parts)):
        if root.joinpath(*parts[start:]).is_file():
            return str(Path(*parts[start:]))
    return ""


def _request(lines: list[str], begin: int, end: int) -> tuple[str, str]:
    """The access line that belongs to a traceback: written just before it, or just after."""
    before = range(begin - 1, max(-1, begin - NEARBY_LINES), -1)
    for index in [*before, *range(end, min(len(lines), end + 3))]:
        if match := _ACCESS.search(lines[index]):
            return match[1], match[2]
    return "", ""
