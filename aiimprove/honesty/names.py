"""What the names of a Python file stand for: `t.time` after `import time as t` is time.time."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from aiimprove.honesty.written import Written


@dataclass(frozen=True)
class Mention:
    """A name on a new line, spelled out; `whole` when nothing further is asked of it there, `stored` when it is
    given a new value."""

    line: int
    name: str
    whole: bool
    stored: bool = False
    imported: bool = False


def meanings(tree: ast.Module | None) -> dict[str, str]:
    """Each imported name of a module with its full name."""
    found: dict[str, str] = {}
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = f"{'.' * node.level}{node.module or ''}.{alias.name}"
    return found


def full_name(node: ast.AST | None, known: dict[str, str]) -> str:
    """`a.b.c` with `a` spelled out; empty for what is no such chain."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([known.get(node.id, node.id), *reversed(parts)])


def mentions(written: Written) -> Iterator[Mention]:
    """Every name on the new lines, and every import there."""
    known = meanings(written.tree)
    inner = {id(node.value) for node in ast.walk(written.tree) if isinstance(node, ast.Attribute)} if (
        written.tree) else set()
    for node in written.nodes():
        if isinstance(node, (ast.Name, ast.Attribute)):
            name = full_name(node, known)
            if name:
                yield Mention(node.lineno, name, id(node) not in inner, not isinstance(node.ctx, ast.Load))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from _imported(node)


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[Mention]:
    for alias in node.names:
        prefix = f"{node.module or ''}." if isinstance(node, ast.ImportFrom) else ""
        yield Mention(node.lineno, prefix + alias.name, False, imported=True)


def called(node: ast.AST, known: dict[str, str]) -> str:
    """What a call calls; empty for anything else."""
    return full_name(node.func, known) if isinstance(node, ast.Call) else ""


def text_of(node: ast.AST) -> str:
    """The string that a node is, or is put together from; empty for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return text_of(node.left) + text_of(node.right)
    return "".join(map(text_of, node.values)) if isinstance(node, ast.JoinedStr) else ""
