"""Records the SELECTs that a program sends to SQLite. Loaded by its interpreter through PYTHONPATH, never imported.

Does nothing when AIIMPROVE_RECORD_SQL is not set, nor when the interpreter has no SQLite. The record is
`$HOME/$AIIMPROVE_RECORD_SQL/<pid>.jsonl`, one statement a line, with its values and the lines of the program that were
under way, at most EXAMPLES of each shape.
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
MOST_FRAMES = 3
_LIBRARIES = ("site-packages", "dist-packages", "/lib/python3", "<")
_LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")


class _Record:
    """The statements seen, appended to a file as they come."""

    def __init__(self, folder: str) -> None:
        os.makedirs(folder, exist_ok=True)
        self._folder = folder
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def note(self, database: str, sql: str) -> None:
        words = sql.lstrip()[:6].upper()
        if not words.startswith(("SELECT", "WITH")) or len(sql) > MOST_LENGTH:
            return
        shape = _LITERAL.sub("?", sql)
        with self._lock:
            count = self._counts.get(shape, 0)
            if count >= EXAMPLES or (count == 0 and len(self._counts) >= MOST_SHAPES):
                return
            self._counts[shape] = count + 1
        line = json.dumps({"database": database, "sql": sql, "sent_by": _under_way()}) + "\n"
        # the pid is asked for each time: servers fork their workers
        with open(os.path.join(self._folder, f"{os.getpid()}.jsonl"), "a", encoding="utf-8") as file:
            file.write(line)


def _under_way() -> list[tuple[str, int, str]]:
    """File, line and function of what called, the innermost first, without libraries."""
    found: list[tuple[str, int, str]] = []
    frame = sys._getframe(1)
    while frame.f_back is not None and len(found) < MOST_FRAMES:
        frame = frame.f_back
        file = frame.f_code.co_filename
        if file != __file__ and not any(mark in file for mark in _LIBRARIES):
            found.append((file, frame.f_lineno, frame.f_code.co_name))
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
