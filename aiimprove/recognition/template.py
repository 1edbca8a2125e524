"""The text of a config.toml for a recognised app: every value with a comment that says where it was seen."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import fields

from aiimprove.recognition.seen import Recognised, Seen, Service, Value, Values
from aiimprove.settings import Service as Table

_WIDTH = 118
_HEAD = """# What aiimprove keeps live and keeps improving. Written by 'aiimprove init'; from here on it is yours.
# A comment says where a value was seen, or that it is a guess. Every key: docs/config.md of aiimprove.
"""
_FILES = """# Secrets, and addresses of databases: files with KEY=value lines, mode 0600, outside the repository. The
# second one is for the development copy and for proofs, and must lead to nothing that live uses.
"""
_PLAIN = ("folder", "runtime", "interpreter", "lock_files", "install", "build", "artifact", "start", "live_port",
          "dev_port", "health", "ready", "smoke", "openapi", "databases", "migrate", "migrations", "populate", "test",
          "tests", "assets")


def text(app: Recognised, live_env: str = "") -> str:
    """The whole file. `live_env` is the env file of live, when there is one already."""
    parts = [_HEAD, _row("name", app.name), "", *_env_files(str(app.name.value), live_env)]
    parts += _said(app.notes)
    for service in app.services:
        parts += ["", *_service(service)]
    return "\n".join(parts).rstrip() + "\n"


def _env_files(name: str, live_env: str) -> Iterator[str]:
    off = "" if live_env else "# "
    yield _FILES + f"{off}[env_file]"
    yield f"{off}live = {quoted(live_env or f'~/{name}-live.env')}"
    yield f"# dev = {quoted(f'~/{name}-dev.env')}"


def _service(service: Service) -> Iterator[str]:
    yield from _said((service.blocked, *service.notes))
    yield f"[services.{service.name}]  # {_flat(service.framework)}"
    values = {"folder": Seen(service.folder, "where the service stands"), **service.values}
    for key in [each.name for each in fields(Table) if each.name in _PLAIN and each.name in values]:
        yield _row(key, values[key])
    wanted = {name: seen for name, seen in service.missing.items() if name not in {**service.dev_env, **service.env}}
    for table, found in (("env", service.env), ("dev_env", service.dev_env), ("test_env", service.test_env)):
        if found or (table == "env" and wanted):
            yield from ("", f"[services.{service.name}.{table}]", *_variables(found))
        if table == "env":
            yield from (f"# {name} = \"\"  # needed, and nobody said its value: {_flat(seen.where)}"
                        for name, seen in wanted.items())


def _variables(found: Values) -> Iterator[str]:
    yield from (_row(name if name.replace("_", "").isalnum() and name.isascii() else quoted(name), seen)
                for name, seen in found.items())


def _row(key: str, seen: Seen) -> str:
    row, comment = f"{key} = {_written(seen.value)}", _flat(seen.comment)
    if not comment:
        return row
    if "\n" not in row and len(row) + len(comment) + 4 <= _WIDTH:
        return f"{row}  # {comment}"
    return "\n".join([*_said((comment,)), row])


def _said(sentences: tuple[str, ...]) -> list[str]:
    return [f"# {row}" for each in sentences if each for row in textwrap.wrap(_flat(each), _WIDTH - 2,
                                                                             break_long_words=False,
                                                                             break_on_hyphens=False)]


def _written(value: Value) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{quoted(key)} = {quoted(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return _list([quoted(each) for each in value])
    return str(value) if isinstance(value, int) else quoted(value)


def _list(words: list[str]) -> str:
    """In one row, or in as many as it takes."""
    row = "[" + ", ".join(words) + "]"
    if len(row) <= _WIDTH - 14 or "\n" in row:
        return row
    rows, line = list[str](), "   "
    for word in words:
        if len(line) + len(word) > _WIDTH - 3:
            rows, line = [*rows, line], "   "
        line += f" {word},"
    return "\n".join(["[", *rows, line, "]"])


def quoted(word: str) -> str:
    """A text of TOML. Lines of code keep their lines, where that can be written."""
    if "\n" in word and "'''" not in word and all(each.isprintable() or each in "\n\t" for each in word):
        return f"'''{word}'''"
    return json.dumps(word, ensure_ascii=False).replace("\x7f", "\\u007f")


def _flat(words: str) -> str:
    """Names of files and lines of code become comments: nothing in them may end the line."""
    return "".join(each if each.isprintable() else " " for each in " ".join(words.split()))
