"""What a file of tests needs to define a name: a new test that is run by itself has to bring it along."""

from __future__ import annotations

import ast
from collections.abc import Collection


def defining(module: ast.Module, names: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The imports, and the lines below them, with which these names of a file stand in another one beside it."""
    needed, kept = set(names), set[int]()
    grown = True
    while grown:
        found = {index for index, row in enumerate(module.body) if _bound(row) & needed} - kept
        kept |= found
        needed |= {word for index in found for word in _words(module.body[index])}
        grown = bool(found)
    rows = [row for index, row in enumerate(module.body) if index in kept]
    imports = [_trimmed(row, needed) for row in rows if isinstance(row, (ast.Import, ast.ImportFrom))]
    others = [row for row in rows if not isinstance(row, (ast.Import, ast.ImportFrom))]
    return tuple(imports), tuple(line for index, row in enumerate(others) for line in _set(row, index))


def _bound(row: ast.stmt) -> set[str]:
    """The names that a statement gives."""
    if isinstance(row, (ast.Import, ast.ImportFrom)):
        return {each.asname or each.name.partition(".")[0] for each in row.names}
    if isinstance(row, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {row.name}
    return {node.id for node in ast.walk(row) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _words(row: ast.stmt) -> set[str]:
    if isinstance(row, (ast.Import, ast.ImportFrom)):
        return set()
    return {node.id for node in ast.walk(row) if isinstance(node, ast.Name)}


def _trimmed(row: ast.Import | ast.ImportFrom, needed: Collection[str]) -> str:
    names = [each for each in row.names if (each.asname or each.name.partition(".")[0]) in needed]
    return ast.unparse(ast.Import(names) if isinstance(row, ast.Import) else ast.ImportFrom(
        row.module, names, row.level))


def _set(row: ast.stmt, index: int) -> list[str]:
    """A statement as lines, with the empty ones that stand above it; the first of all has one already."""
    above = [""] if isinstance(row, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else []
    return [*above, *([""] if above and index else []), *ast.unparse(row).splitlines()]
