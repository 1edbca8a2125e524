"""What a function is called, however its file is moved or renamed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_UNNAMED = "<"
"""How a traceback calls what has no name: <module>, <lambda>, <listcomp>."""


def lasting_name(folder: Path, file: str, function: str, line: int) -> str:
    """`Class.method` or `function`, of those that are called so the one that holds a line; with the name of its file in
    front only where another file below `folder` holds one of the same name, or where it has no name of its own."""
    stem = Path(file).stem
    if function.startswith(_UNNAMED):
        return f"{stem}.{function}"
    name = _qualified(folder / file, function, line)
    return f"{stem}.{name}" if _elsewhere(folder, file, name) else name


def _qualified(file: Path, function: str, line: int) -> str:
    """The function with the classes and functions around it; as it was told where it is not plain which one it is."""
    named = {name: lines for name, lines in _functions(file) if name.rpartition(".")[2] == function}
    holding = [name for name, lines in named.items() if line in lines]
    return next(iter(named)) if len(named) == 1 else holding[-1] if holding else function


def _elsewhere(folder: Path, file: str, name: str) -> bool:
    bare = re.compile(rf"\bdef\s+{re.escape(name.rpartition('.')[2])}\s*\(")
    others = (each for each in folder.rglob("*.py") if each != folder / file and each.is_file())
    return any(name in dict(_functions(each)) for each in others
               if bare.search(each.read_text("utf-8", errors="replace")))


def _functions(file: Path) -> Iterator[tuple[str, range]]:
    """The qualified name of every function of a file, with its lines; none when it is no Python."""
    try:
        tree = ast.parse(file.read_text("utf-8", errors="replace"))
    except (OSError, SyntaxError, ValueError):
        return
    yield from _below(tree, "")


def _below(node: ast.AST, around: str) -> Iterator[tuple[str, range]]:
    for each in ast.iter_child_nodes(node):
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if not isinstance(each, ast.ClassDef):
                yield around + each.name, range(each.lineno, (each.end_lineno or each.lineno) + 1)
            yield from _below(each, f"{around}{each.name}.")
        else:
            yield from _below(each, around)
