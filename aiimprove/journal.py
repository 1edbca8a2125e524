"""Logging: one line per event in logs/ai_system.log, warnings as sentences on stderr."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from aiimprove.rotation import cut

FILE = "ai_system.log"
LARGEST = 5_000_000
LAST_LINES = 20


def open_journal(folder: Path, *, sentences: bool = True) -> None:
    """Send what the engine logs to `folder`/ai_system.log (what it held before it grew too large is beside it, `.1`),
    and, when `sentences` are wanted, warnings to stderr."""
    root = logging.getLogger("aiimprove")
    if root.handlers:
        return
    root.setLevel(logging.INFO)
    root.propagate = False
    if sentences:
        root.addHandler(_on_stderr())
    try:
        root.addHandler(_in_file(folder))
    except OSError as error:
        root.warning("no log is written: %s", error)


class _Forgiving(logging.FileHandler):
    """A line that does not fit on the disk is lost; nobody has to read about that amid what a command says."""

    def handleError(self, record: logging.LogRecord) -> None:
        return


def _in_file(folder: Path) -> logging.Handler:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE
    cut(str(file), LARGEST)
    handler = _Forgiving(file, encoding="utf-8")
    handler.setFormatter(_line("%(asctime)s %(levelname)s %(message)s"))
    return handler


def _on_stderr() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_line("%(message)s"))
    return handler


def _line(layout: str) -> logging.Formatter:
    return logging.Formatter(layout, datefmt="%Y-%m-%dT%H:%M:%S%z")


def last_lines(log: Path) -> str:
    """The end of a log; empty when it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 16384))
            return "\n".join(file.read().decode(errors="replace").rstrip().splitlines()[-LAST_LINES:])
    except OSError:
        return ""
