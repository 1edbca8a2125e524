"""The tornado bugs of BugsInPy as small services, and what is right and wrong about each fix; for bench/judge.py.

The app's own code is tornado's package of the buggy commit, with the tests of the fixed one. The probe asks the
unittests that show the bug. The repository's tests are two of three of the same module that pass with the bug and
without; every third the judge never sees.
"""

from __future__ import annotations

import ast
import difflib
import io
import random
import re
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from aiimprove.finding import Finding, Kind, Probe
from aiimprove.mutation import changed_lines
from aiimprove.mutation.python import mutated
from bench.judge_unittests import LeftOut, Oracle, Texts, served

HELD_BACK = 3
"""Every which test of the module the judge never sees."""
SEEN, UNSEEN = 48, 100
"""How many tests the judge has, and how many further ones decide what is wrong, at most."""
WRONG, TRIED = 8, 24
"""How many mutants of one fix are judged, and how many are looked at for being wrong, at most."""
PROBED = 6


@dataclass(frozen=True)
class Bug:
    """One bug of the set: two commits of tornado, and the unittests that show it."""

    name: str
    buggy: str
    fixed: str
    module: str
    shown_by: tuple[str, ...]


def bugs(folder: Path) -> Iterator[Bug]:
    """Every bug of tornado in a checkout of BugsInPy."""
    for home in sorted((folder / "projects" / "tornado" / "bugs").iterdir(), key=lambda each: int(each.name)):
        info = dict(re.findall(r'^(\w+)="(.*)"', (home / "bug.info").read_text(), re.MULTILINE))
        shown_by = re.findall(r"unittest (?:-q )?(\S+)", (home / "run_test.sh").read_text())
        module = info["test_file"].split(";")[0].removesuffix(".py").replace("/", ".")
        yield Bug(f"tornado {home.name}", info["buggy_commit_id"], info["fixed_commit_id"], module, tuple(shown_by))


def package(repository: Path, commit: str) -> dict[str, bytes]:
    """The files of tornado's package in a commit of a clone, bare or not. Raises LeftOut."""
    words = ["git", "-C", str(repository), "archive", commit, "tornado"]
    done = subprocess.run(words, capture_output=True, check=False)
    if done.returncode:
        raise LeftOut(f"git: {done.stderr.decode('utf-8', 'replace').strip()}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as packed:
        opened = [(each.name, packed.extractfile(each)) for each in packed if each.isfile()]
        return {name: file.read() for name, file in opened if file}


class Case:
    """A bug that runs here: its app, the files that its fix changes (`buggy`, `right`), and its unittests: those that
    show it, those that the judge has, and those that it never sees. Raises LeftOut."""

    def __init__(self, bug: Bug, repository: Path, scratch: Path) -> None:
        old, new = package(repository, bug.buggy), package(repository, bug.fixed)
        changed = [path for path in sorted({*old, *new}) if path.endswith(".py") and not _judges(path)
                   and old.get(path) != new.get(path)]
        if not all(path in old and path in new for path in changed):
            raise LeftOut("its fix adds or removes a file")
        self.bug = bug
        self.buggy, self.right = ({path: tree[path].decode() for path in changed} for tree in (old, new))
        self.app = {**{path: text for path, text in old.items() if not _judges(path)},
                    **{path: text for path, text in new.items() if _judges(path)}}
        self._oracle = Oracle(scratch, self.app, bug.module)
        self.shown_by, self.seen, self.unseen = self._split()

    def _split(self) -> tuple[list[str], list[str], list[str]]:
        right = self._oracle.outcomes(self.right)
        shown = [name for name in right if any(f"{name}.".startswith(f"{each}.") for each in self.bug.shown_by)]
        kept = [name for name, passed in right.items() if passed]
        again = self._oracle.outcomes(self.right, kept)
        buggy = self._oracle.outcomes(self.buggy, kept)
        failing = [name for name in shown if again.get(name) and not buggy[name]]
        if not failing:
            there = "fail with the fix too" if not any(again.get(name) for name in shown) else "pass without the fix"
            raise LeftOut(f"its tests {there}" if shown else "its tests are not there")
        both = [name for name in kept if again[name] and buggy[name] and name not in shown]
        seen = _spread([name for number, name in enumerate(both, 1) if number % HELD_BACK], SEEN)
        return failing[:PROBED], seen, _spread([name for name in both if name not in seen], UNSEEN)

    def wrong(self) -> Iterator[tuple[str, Texts]]:
        """What it is and its files: the buggy version, the fix without one of its parts, mutants of the lines and
        functions that it changes. All but the first only when a unittest that passes with the fix fails."""
        first = next(iter(self.buggy))
        yield "as it was", {first: self.buggy[first] + "\n"}
        names = [*self.shown_by, *self.seen, *self.unseen]
        yield from ((name, texts) for name, texts in self._partial() if self._oracle.fails(texts, names))
        tried = list(self._mutants())
        random.Random(self.bug.name).shuffle(tried)
        found = ((name, texts) for name, texts in tried[:TRIED] if self._oracle.fails(texts, names))
        yield from islice(found, WRONG)

    def _partial(self) -> Iterator[tuple[str, Texts]]:
        parts = [(path, number) for path in self.right
                 for number in range(len(_hunks(self.buggy[path], self.right[path])))]
        for path, number in parts if len(parts) > 1 else []:
            yield f"without part {number} of {path}", {**self.right, path: _without(self.buggy[path], self.right[path],
                                                                                    number)}

    def _mutants(self) -> Iterator[tuple[str, Texts]]:
        for path, text in self.right.items():
            for line, change, made in mutated(text, _around(self.buggy[path], text)):
                yield f"{path}:{line} {change}", {**self.right, path: made}

    @property
    def files(self) -> dict[str, bytes]:
        """The repository's, with the service and the tests that the judge has."""
        return served(self.app, self.bug.module, self.seen)

    @property
    def finding(self) -> Finding:
        asked = [{"method": "GET", "path": f"/?run={name}"} for name in self.shown_by]
        return Finding("people", Kind.BUG, "wrong-answer", f"app {self.bug.name}", "", "",
                       Probe("http", "app", {**asked[0], "also": asked[1:]}, {"status_below": 500}))


def _judges(path: str) -> bool:
    return path.startswith("tornado/test/")


def _spread(names: Sequence[str], most: int) -> list[str]:
    """At most so many, evenly from first to last."""
    return [names[at * len(names) // most] for at in range(most)] if len(names) > most else list(names)


def _hunks(before: str, after: str) -> list[tuple[int, int, int, int]]:
    """Where the two differ: lines of the one and of the other, from and to."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    return [places for tag, *places in matcher.get_opcodes() if tag != "equal"]  # type: ignore[misc]


def _without(before: str, after: str, number: int) -> str:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    start, end, first, last = _hunks(before, after)[number]
    return "".join([*new[:first], *old[start:end], *new[last:]])


def _around(before: str, after: str) -> set[int]:
    """The lines of `after` that are new, and those of the functions in which they stand."""
    lines = changed_lines(before, after)
    spans = [set(range(node.lineno, (node.end_lineno or 0) + 1)) for node in ast.walk(ast.parse(after))
             if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return lines.union(*(span for span in spans if span & lines))
