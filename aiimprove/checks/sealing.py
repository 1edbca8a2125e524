"""What judges is live's: a candidate's own copies of tests, settings and runners never take part in a test run."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from aiimprove.repository import Repository
from aiimprove.settings import Service

SETTINGS = ("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini", "setup.cfg",
            "pyproject.toml", ".coveragerc", "noxfile.py", "vitest.config.*", "vitest.setup.*", "vitest.workspace.*",
            "vite.config.*", "jest.config.*", "jest.setup.*", "babel.config.*", ".babelrc*", ".swcrc", ".mocharc*",
            "sitecustomize.py", "usercustomize.py", "*.pth", "*.egg-link", ".env", ".env.*")
"""Files that decide what a test run means; those of the live version count."""
RUNNERS = ("_pytest", "pytest", "pytest.*", "pluggy", "pluggy.py", "iniconfig", "iniconfig.py", "unittest",
           "unittest.py", "node_modules", "*.dist-info", "*.egg-info")
"""Files and folders that a runner would be taken from, or extended by."""
TESTS = ("test_*.py", "*_test.py", "tests.py", "*.test.*", "*.spec.*", "__tests__", "__snapshots__", "__mocks__")
FOLDER = "tests"
"""Whatever stands in a folder of this name belongs to tests, wherever it is."""
LOCKED = ("package.json", "tsconfig*.json")
"""These too where an author wrote the candidate: a human's commit may change what it depends on."""


@dataclass(frozen=True)
class Seal:
    """The seal on the tests of one service: `tests` is where they stand."""

    repository: Repository
    base: str
    service: Service
    tests: str
    locked: bool

    def close(self, tree: Path, commit: str, paths: Sequence[str]) -> None:
        """Puts live's copies of all that judges in the place of a commit's, below `tree`."""
        for path in dict.fromkeys([self.tests, *self._judging(commit, paths)]):
            remove(tree / path)
        wanted = [path for path in dict.fromkeys([self.tests, *self._judging(self.base, paths)])
                  if self.repository.tree(self.base, path)]
        if wanted:
            self.repository.export(self.base, tree, wanted)

    def empty(self, tree: Path, others: Sequence[str]) -> None:
        """Takes live's tests away, so that others (their texts) run by themselves; what they stand on stays, even if
        that is a file of tests that they import."""
        home = tree / (self.tests if self.service.tests else self.service.folder)
        every = [each for each in home.rglob("*") if _is_test(each.name)]
        kept = _imported(others, [each for each in every if each.is_file()])
        for path in every:
            if not any(each.is_relative_to(path) for each in kept):
                remove(path)

    def _judging(self, commit: str, paths: Sequence[str]) -> Iterator[str]:
        runner = {f"{self.service.folder}/{word}".removeprefix("./") for word in self.service.test}
        for path in (entry.path for place in paths for entry in self.repository.entries(commit, place)):
            if decides(path) or is_test(path) or path in runner or (self.locked and _named(path, LOCKED)):
                yield path


def decides(path: str) -> bool:
    """Whether a file says what a test run means, or stands where a runner is looked for."""
    return _named(path, SETTINGS) or any(fnmatch(part.lower(), each)
                                         for part in PurePosixPath(path).parts for each in RUNNERS)


def is_test(path: str) -> bool:
    *folders, name = PurePosixPath(path).parts
    return _is_test(name) or any(_is_test(part) or part == FOLDER for part in folders)


def remove(path: Path) -> None:
    """Takes away whatever stands there: a link is never followed."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


def _imported(texts: Sequence[str], files: Sequence[Path]) -> set[Path]:
    """The files that these texts import, and those that such files import in turn."""
    found: set[Path] = set()
    waiting = list(texts)
    while waiting:
        text = waiting.pop()
        new = {each for each in files if each not in found and _imports(text, each)}
        waiting += [each.read_text("utf-8", "replace") for each in new]
        found |= new
    return found


def _imports(text: str, file: Path) -> bool:
    name = re.escape(file.name.partition(".")[0])
    return bool(re.search(rf"^.*\b(?:import|from|require)\b.*(?<!\w){name}(?!\w)", text, re.MULTILINE))


@dataclass(frozen=True)
class Witness:
    """A test that must fail, under a name that nobody knew: a report in which it did not is no report of the run."""

    path: str
    name: str
    text: str


def witness(tree: Path, tests: str, words: Sequence[str]) -> Witness | None:
    """One that stands behind the last test in `tests`; None for a runner that is not known."""
    token = secrets.token_hex(4)
    files = sorted(each for each in (tree / tests).rglob("*") if each.is_file()) if (tree / tests).is_dir() else []
    python = [each for each in files if fnmatch(each.name, "test_*.py")]
    if python:
        name = f"test_{token}"
        return _beside(tree, python[-1], f"{python[-1].stem}_{token}.py", name,
                       f"def {name}():\n    assert [] == [{token!r}]\n")
    script = [each for each in files if fnmatch(each.name, "*.test.[jt]s*")]
    if script and any("vitest" in word for word in words):
        return _beside(tree, script[-1], f"{script[-1].name.partition('.')[0]}-{token}.test.ts", token,
                       'import { expect, test } from "vitest";\n\n'
                       f'test("{token}", () => expect([]).toBe("{token}"));\n')
    return None


def _beside(tree: Path, file: Path, new: str, name: str, text: str) -> Witness:
    return Witness(str((file.parent / new).relative_to(tree)), name, text)


def _named(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(PurePosixPath(path).name.lower(), pattern) for pattern in patterns)


def _is_test(name: str) -> bool:
    return any(fnmatch(name.lower(), pattern) for pattern in TESTS)
