"""Which requests run through the lines that a candidate changes: where to look in the live version, and looking."""

from __future__ import annotations

import ast
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aiimprove.launch import service_folder
from aiimprove.proving import Case

TRACER = Path(__file__).parent / "tracer" / "sitecustomize.py"
FOLDER = ".aiimprove-trace"
_HUNK = re.compile(r"@@ -(\d+)")


@dataclass
class Watch:
    """Lines, and first lines of functions, by file of the live version. `complete` is False when a change stands
    where no request can be seen to pass: outside of functions, or in another language."""

    files: dict[str, tuple[set[int], set[int]]] = field(default_factory=dict)
    complete: bool = True

    def env(self, tracer: Path) -> dict[str, str]:
        """For a service in its box; the tracer is put into the folder `tracer`, and nothing else of ours."""
        tracer.mkdir(parents=True, exist_ok=True)
        shutil.copy(TRACER, tracer)
        told = {"folder": FOLDER, "files": {path: [sorted(lines), sorted(calls)]
                                            for path, (lines, calls) in self.files.items()}}
        return {"PYTHONPATH": str(tracer), "AIIMPROVE_TRACE": json.dumps(told)}

    def hits(self, data: Path) -> int:
        """How often what is watched has run until now, in a copy with this data folder."""
        return sum(int.from_bytes(path.read_bytes(), "little") for path in (data / FOLDER).glob("*"))


def watched(case: Case) -> Watch:
    """Where the live version must pass for a request to be concerned; tests and new files concern none."""
    watch, diff = Watch(), case.repository.diff(case.baseline.commit, case.candidate.commit)
    for path, lines in changed_lines(diff).items():
        root = _root(case, path)
        if root is None:
            continue
        text = case.repository.read(case.baseline.commit, path)
        if not path.endswith(".py") or text is None:
            watch.complete = False
            continue
        found = watch.files.setdefault(str(root / path), (set(), set()))
        watch.complete &= look(text.decode("utf-8", "replace"), lines, *found)
    return watch


def _root(case: Case, path: str) -> Path | None:
    """The tree of the release in which the file stands, when a service runs from it."""
    for name, service in case.config.services.items():
        own = "" if service.folder in ("", ".") else f"{service.folder}/"
        tests = f"{own}{service.tests}/" if service.tests else ""
        if name in case.baseline.services and path.startswith(own) and not (tests and path.startswith(tests)):
            folder = service_folder(case.config, case.baseline, name)
            return folder if service.artifact or not own else Path(str(folder).removesuffix(own.rstrip("/")))
    return None


def changed_lines(diff: str) -> dict[str, list[int]]:
    """By file, the lines of the old version that a unified diff changes; for what is put in, the line before it, and 0
    when it stands outside of everything."""
    found: dict[str, list[int]] = {}
    path, at, removed = "", 0, False
    for line in diff.splitlines():
        if line.startswith("--- "):
            path = "" if line == "--- /dev/null" else line[4:].strip('"').removeprefix("a/")
        elif hunk := _HUNK.match(line):
            at, removed = int(hunk[1]), False
        elif not path or line.startswith(("+++", "diff ", "index ", "\\")):
            continue
        elif line.startswith("-"):
            found.setdefault(path, []).append(at)
            at, removed = at + 1, True
        elif line.startswith("+") and not removed and line[1:].strip():
            found.setdefault(path, []).append(at - 1 if line[1:2].isspace() else 0)
        elif not line.startswith("+"):
            at, removed = at + 1, False
    return found


def look(source: str, changed: list[int], lines: set[int], calls: set[int]) -> bool:
    """Adds to `lines` and `calls` what runs when these lines of a Python file do. False when some are in none."""
    try:
        functions = [node for node in ast.walk(ast.parse(source))
                     if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    except (SyntaxError, ValueError):
        return False
    complete = True
    for line in changed:
        around = [node for node in functions if _first(node) <= line <= (node.end_lineno or 0)]
        if not around:
            complete = False
            continue
        inner = max(around, key=_first)
        spans = [span for span in _statements(inner.body) if line in span]
        lines.update(*map(set, spans[-1:]))
        if not spans:
            calls.add(_first(inner))
    return complete


def _first(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return min([node.lineno, *(each.lineno for each in node.decorator_list)])


def _statements(body: list[ast.stmt]) -> Iterator[range]:
    """The lines of each statement; of one that holds others only its head, then theirs."""
    for each in body:
        inner = [part for name in ("body", "orelse", "finalbody") for part in getattr(each, name, ())]
        inner += [part for name in ("handlers", "cases") for held in getattr(each, name, ()) for part in held.body]
        last = min((part.lineno for part in inner), default=(each.end_lineno or each.lineno) + 1)
        yield range(each.lineno, max(last, each.lineno + 1))
        yield from _statements(inner)
