"""Records the SELECTs that a program sends to SQLite. Loaded by its interpreter through PYTHONPATH, never imported.

Does nothing when AIIMPROVE_RECORD_SQL is not set, nor when the interpreter has no SQLite. The record is
`$HOME/$AIIMPROVE_RECORD_SQL/<pid>.jsonl`, one statement a line, with its values and the lines of the program that were
under way, at most EXAMPLES of each shape that one line sends. Each further one is a line `{"again": number}`, with the
number that its examples have as `shape`, so that what one request sends can be counted.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import threading
from functools import partial, wraps
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import Any

EXAMPLES = 6
MOST_SHAPES = 2000
MOST_LENGTH = 20_000
MOST_AGAIN = 300_000
"""Further statements that are counted: about 5 MB."""
MOST_FRAMES = 6
_LIBRARIES = ("site-packages", "dist-packages", "/lib/python3", "<")
_LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")


class _Record:
    """The statements seen, appended to a file as they come."""

    def __init__(self, folder: str) -> None:
        os.makedirs(folder, exist_ok=True)
        self._folder = folder
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        """A file and numbers of its own for each process: servers fork their workers."""
        self._pid, self._file, self._again = os.getpid(), -1, 0
        self._numbers: dict[tuple[str, tuple[str, int] | None], list[int]] = {}

    def note(self, database: str, sql: str) -> None:
        words = sql.lstrip()[:6].upper()
        if not words.startswith(("SELECT", "WITH")) or len(sql) > MOST_LENGTH:
            return
        key = (_LITERAL.sub("?", sql), _sender())
        with self._lock:
            if self._pid != os.getpid():
                self._begin()
            if key not in self._numbers and len(self._numbers) >= MOST_SHAPES:
                return
            known = self._numbers.setdefault(key, [len(self._numbers), 0])
            known[1] += 1
            number, count = known
            self._again += count > EXAMPLES
            if count <= EXAMPLES:
                self._write({"database": database, "sql": sql, "sent_by": _under_way(), "shape": number})
            elif self._again <= MOST_AGAIN:
                self._write({"again": number})

    def _write(self, row: dict[str, Any]) -> None:
        if self._file < 0:
            path = os.path.join(self._folder, f"{self._pid}.jsonl")
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        os.write(self._file, (json.dumps(row) + "\n").encode())


_own: dict[str, bool] = {}
"""Whether a file is the program's own, for those that were asked about."""


def _is_own(file: str) -> bool:
    if file not in _own:
        _own[file] = file != __file__ and not any(mark in file for mark in _LIBRARIES)
    return _own[file]


def _sender() -> tuple[str, int] | None:
    """File and line of the program's innermost code that is under way."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        frame = frame.f_back
        if _is_own(frame.f_code.co_filename):
            return frame.f_code.co_filename, frame.f_lineno
    return None


def _under_way() -> list[tuple[str, int, str]]:
    """File, line and function of what called, the innermost first, without libraries."""
    found: list[tuple[str, int, str]] = []
    frame = sys._getframe(1)
    while frame.f_back is not None and len(found) < MOST_FRAMES:
        frame = frame.f_back
        if _is_own(frame.f_code.co_filename):
            found.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
    return found


def _listen(record: _Record) -> None:
    """Every connection made by sqlite3.connect tells the record what it runs: SQLAlchemy, aiosqlite and Django too."""
    import sqlite3
    import sqlite3.dbapi2
    connect = sqlite3.connect

    @wraps(connect)
    def recorded(database: Any, *arguments: Any, **options: Any) -> Any:
        connection = connect(database, *arguments, **options)
        with contextlib.suppress(Exception):  # the app must run as if nobody listened
            connection.set_trace_callback(partial(_quietly, record, _path(database)))
        return connection

    sqlite3.connect = sqlite3.dbapi2.connect = recorded


def _path(database: str | bytes | os.PathLike[str]) -> str:
    text = os.fsdecode(database)
    if text.startswith("file:"):
        from urllib.parse import unquote, urlsplit
        text = unquote(urlsplit(text).path)
    return text if text in ("", ":memory:") else os.path.abspath(text)


def _quietly(record: _Record, database: str, sql: str) -> None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        record.note(database, sql)


def _run_next() -> None:
    """The sitecustomize that this one stands in front of still runs."""
    here = os.path.dirname(os.path.abspath(__file__))
    elsewhere = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]
    spec = PathFinder.find_spec("sitecustomize", elsewhere)
    if spec and spec.loader:
        module = module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


_folder = os.environ.get("AIIMPROVE_RECORD_SQL")
if _folder:
    try:
        _listen(_Record(os.path.join(os.path.expanduser("~"), _folder)))
    except (OSError, ImportError) as _error:
        sys.stderr.write(f"SQL is not recorded: {_error}\n")
_routes = os.environ.get("AIIMPROVE_RECORD_ROUTES")
if _routes:
    with contextlib.suppress(ImportError):
        import_module("url_map").listen(_routes)
_run_next()
