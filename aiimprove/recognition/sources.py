"""The files of somebody's repository: listed and read, never imported and never run."""

from __future__ import annotations

import ast
import json
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

_SKIPPED = frozenset({".git", "node_modules", ".venv", "venv", "env", "__pycache__", ".tox", ".next", "site-packages",
                      "htmlcov", ".mypy_cache", ".pytest_cache", "vendor", "bower_components"})
_LARGEST, _MOST_FILES = 400_000, 20_000
_TESTS = ("test", "tests", "spec", "__tests__", "e2e")


@dataclass(frozen=True)
class Sources:
    """A folder of a repository. `prefix` is where it stands in the repository, for sentences: "" or "backend/"."""

    root: Path
    prefix: str = ""

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Every file, as a path below the folder; those that stand higher come first."""
        found: list[str] = []
        for here, folders, names in os.walk(self.root):
            folders[:] = sorted(each for each in folders if each not in _SKIPPED)
            inner = Path(here).relative_to(self.root)
            found += [(inner / name).as_posix() for name in names]
            if len(found) > _MOST_FILES:
                break
        return tuple(sorted(found, key=lambda path: (path.count("/"), path)))

    @cached_property
    def _texts(self) -> dict[str, str]:
        return {}

    @cached_property
    def _trees(self) -> dict[str, ast.Module | None]:
        return {}

    @cached_property
    def top(self) -> Sources:
        """The repository that the folder belongs to."""
        above = self.prefix.count("/")
        return Sources(self.root.parents[above - 1]) if above else self

    def at(self, folder: str) -> Sources:
        """A folder below this one."""
        inside = folder.strip("/")
        return self if inside in ("", ".") else Sources(self.root / inside, f"{self.prefix}{inside}/")

    def has(self, path: str) -> bool:
        return (self.root / path).is_file()

    def first(self, *paths: str) -> str:
        """The first of these files that is there; empty without one."""
        return next((path for path in paths if self.has(path)), "")

    def named(self, *names: str) -> list[str]:
        """Every file with one of these names, wherever it stands."""
        return [path for path in self.files if path.rpartition("/")[2] in names]

    def ending(self, *ends: str, tests: bool = False) -> Iterator[str]:
        """Every file with one of these endings; those of tests only when they are wanted."""
        return (path for path in self.files if path.endswith(ends) and (tests or not is_test(path)))

    def text(self, path: str) -> str:
        """What a file holds; empty when it is not there, too large, or no text."""
        if path not in self._texts:
            file = self.root / path
            try:
                small = file.is_file() and not file.is_symlink() and file.stat().st_size <= _LARGEST
                self._texts[path] = file.read_text("utf-8") if small else ""
            except (OSError, UnicodeDecodeError):
                self._texts[path] = ""
        return self._texts[path]

    def toml(self, path: str) -> dict[str, Any]:
        """A TOML file; empty when it is not there or is none."""
        try:
            return tomllib.loads(self.text(path))
        except (tomllib.TOMLDecodeError, RecursionError):
            return {}

    def json(self, path: str) -> dict[str, Any]:
        """A JSON object; empty when it is not there or is none."""
        try:
            found = json.loads(self.text(path) or "{}")
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def python(self, *, tests: bool = False) -> Iterator[tuple[str, ast.Module]]:
        """Every Python file that can be read as one, with its tree."""
        for path in self.ending(".py", tests=tests):
            tree = self.tree(path)
            if tree is not None:
                yield path, tree

    def tree(self, path: str) -> ast.Module | None:
        if path not in self._trees:
            try:
                self._trees[path] = ast.parse(self.text(path))
            except (SyntaxError, ValueError, RecursionError):
                self._trees[path] = None
        return self._trees[path]

    def where(self, path: str, line: int = 0) -> str:
        """How a place is named for a person."""
        return f"{self.prefix}{path}:{line}" if line else f"{self.prefix}{path}"

    def line_of(self, path: str, part: str) -> int:
        """The first line that holds these words; 0 when there is none."""
        rows = enumerate(self.text(path).splitlines(), 1)
        return next((number for number, row in rows if part in row), 0)


def is_test(path: str) -> bool:
    """Whether a path belongs to tests."""
    *folders, name = path.split("/")
    return any(folder in _TESTS for folder in folders) or name.startswith(("test_", "conftest")) or any(
        mark in name for mark in ("_test.", ".test.", ".spec.")) or name == "tests.py"
