"""One expression of a handler in a `try` of its own, with a refusal for exactly its own error."""

from __future__ import annotations

import ast

from aiimprove.recipes import Unsure
from aiimprove.recipes.crashed import Crashed, shared
from aiimprove.recipes.imports import with_name
from aiimprove.recipes.sources import Source, reparsed


def is_get(node: ast.AST) -> bool:
    """Whether it only takes a value out of the request: `request.args.get("page", 1)`, `text.strip()`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in (
        "get", "strip", "lower", "upper", "get_json")


Error = tuple[str, str]
"""The module and the name of an exception; the module is empty for one that needs no import."""


def guarded(crashed: Crashed, reader: ast.expr, error: Error, status: int, *, alone: bool = False) -> Source:
    """The file with the expression in a `try` of its own: its whole statement, when that does nothing else. Raises
    Unsure; when the statement does more too, where the expression must be `alone` as evaluating it twice costs."""
    statement, lines = crashed.statement(reader), crashed.source.text.splitlines()
    crashed.quiet(statement)
    plain = isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Return, ast.Expr))
    indent = lines[statement.lineno - 1][:statement.col_offset]
    whole = isinstance(statement, (ast.Assign, ast.AnnAssign)) and _only_reads(statement.value, reader)
    if not plain or indent.strip() or (shared(statement, reader) and not whole):
        raise Unsure("the value is not read exactly once there")
    first: list[str]
    rest: list[str]
    if whole:
        first, rest = lines[statement.lineno - 1:statement.end_lineno], []
    elif alone:
        raise Unsure("the lookup is no statement of its own")
    else:
        first, rest = _apart(crashed, statement, reader, indent)
    module, name = error
    called = with_name(crashed.source, module, name)[1] if module else name
    changed = _with_try(crashed, statement, (first, rest), (indent, called, status))
    return with_name(changed, module, name)[0] if module else changed


def _with_try(crashed: Crashed, statement: ast.stmt, rows: tuple[list[str], list[str]],
              said: tuple[str, str, int]) -> Source:
    (first, rest), (indent, error, status) = rows, said
    inner = "\t" if "\t" in indent else "    "
    added, refusal = crashed.framework.refusing(crashed.source, status)
    lines = added.text.splitlines(keepends=True)
    moved = len(lines) - len(crashed.source.text.splitlines())
    ending = "\r\n" if "\r\n" in added.text else "\n"
    cause = " from None" if refusal.startswith("raise ") else ""
    new = [f"{indent}try:", *(inner + line for line in first), f"{indent}except {error}:",
           f"{indent}{inner}{refusal}{cause}", *rest]
    lines[statement.lineno - 1 + moved:(statement.end_lineno or 0) + moved] = [line + ending for line in new]
    return reparsed(added, "".join(lines))


def _apart(crashed: Crashed, statement: ast.stmt, reader: ast.expr, indent: str) -> tuple[list[str], list[str]]:
    """A line that reads the value, and the statement as it was: what else it does is nobody's business here."""
    if reader.lineno != reader.end_lineno:
        raise Unsure("the expression is spread over several lines")
    lines = crashed.source.text.splitlines()
    words = lines[reader.lineno - 1].encode()[reader.col_offset:reader.end_col_offset].decode()
    return [indent + words], lines[statement.lineno - 1:statement.end_lineno]


def _only_reads(value: ast.expr | None, reader: ast.expr) -> bool:
    """Whether an assigned value does nothing but read: `int(text) if text else 20`."""
    calls = (each for each in ast.walk(value or reader) if isinstance(each, (ast.Call, ast.Await, ast.Subscript)))
    return all(each is reader or is_get(each) or each in ast.walk(reader) for each in calls)
