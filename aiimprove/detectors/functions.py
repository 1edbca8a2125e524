"""What a function is called, however its file is moved or renamed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_UNNAMED = "<"
"""How a traceback calls what has no name: <module>, <lambda>, <listcomp>."""


def lasting_name(folder: Path, file: str, function: str) -> str:
    """`Class.method` or `function`; with the name of its file in front only where another file below `folder` holds one
    of the same name, or where it has no name of its own."""
    stem = Path(file).stem
    if function.startswith(_UNNAMED):
        return f"{stem}.{function}"
    name = _qualified(folder / file, function)
    return f"{stem}.{name}" if _elsewhere(folder, file, name) else name


def _qualified(file: Path, function: str) -> str:
    """The function with the classes and functions around it; as it was told where the file holds none or several."""
    named = [name for name in _functions(file) if name.rpartition(".")[2] == function]
    return named[0] if len(named) == 1 else function


def _elsewhere(folder: Path, file: str, name: str) -> bool:
    bare = re.compile(rf"\bdef\s+{re.escape(name.rpartition('.')[2])}\s*\(")
    others = (each for each in folder.rglob("*.py") if each != folder / file and each.is_file())
    return any(name in set(_functions(each)) for each in others
               if bare.search(each.read_text("utf-8", errors="replace")))


def _functions(file: Path) -> Iterator[str]:
    """The qualified name of every function of a file; none when it is no Python."""
    try:
        tree = ast.parse(file.read_text("utf-8", errors="replace"))
    except (OSError, SyntaxError, ValueError):
        return
    yield from _below(tree, "")


def _below(node: ast.AST, around: str) -> Iterator[str]:
    for each in ast.iter_child_nodes(node):
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if not isinstance(each, ast.ClassDef):
                yield around + each.name
            yield from _below(each, f"{around}{each.name}.")
        else:
            yield from _below(each, around)
