"""A value that cannot be read is refused where it is read: one expression, and exactly its own error."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Patch, Unsure, written
from aiimprove.recipes.clients import NO_TEST
from aiimprove.recipes.crashed import Crashed, crashed_at, shared
from aiimprove.recipes.refusals import refusal_test
from aiimprove.recipes.sources import Source, python_sources, reparsed, service_of
from aiimprove.settings import Config

NOT_FOUND = 404
_ERRORS = frozenset({"ValueError", "KeyError"})
_READERS = frozenset({"int", "float", "UUID", "fromisoformat", "strptime", "fromtimestamp"})
_ENUMS = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"})


class GuardParsing:
    """Refuses where more than one expression of the line may raise, or where it is not evaluated exactly once."""

    name = "guard_parsing"
    causes = ("bad-value",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service, error = service_of(finding, config), str(finding.details.get("exception", ""))
    if error not in _ERRORS:
        raise Unsure(f"it is not plain which values raise {error}")
    sources = python_sources(tree, service)
    crashed = crashed_at(finding, sources, service.folder)
    reader = _reader(crashed, error, _enums(sources))
    status = NOT_FOUND if finding.details["location"] == "path" else crashed.framework.invalid
    changed = _guarded(crashed, reader, error, status)
    test = refusal_test(tree, service, finding, status, "refused")
    return Patch(f"{finding.details['method']} {finding.details['route']} answers {status} to a {crashed.parameter} "
                 f"that it cannot read.{'' if test else NO_TEST}", {changed.path: changed.text} | test)


def _enums(sources: Sequence[Source]) -> set[str]:
    """The names of the app's own enumerations."""
    return {node.name for source in sources for node in ast.walk(ast.parse(source.text))
            if isinstance(node, ast.ClassDef)
            and any(ast.unparse(base).rpartition(".")[2] in _ENUMS for base in node.bases)}


def _reader(crashed: Crashed, error: str, enums: set[str]) -> ast.expr:
    """The one expression of the line that reads the value."""
    found = [node for node in crashed.at_line() if isinstance(node, ast.expr)
             and (_looks_up(node) if error == "KeyError" else _reads(node, enums)) and crashed.hangs_on_value(node)]
    found = [node for node in found if not any(node is not other and node in ast.walk(other) for other in found)]
    if len(found) != 1:
        raise Unsure(f"{len(found) or 'no'} expressions of that line may raise {error}")
    inner = [node for node in ast.walk(found[0]) if isinstance(node, (ast.Call, ast.Await)) and node is not found[0]]
    if any(not _is_get(node) for node in inner):
        raise Unsure("something else may raise in that expression")
    return found[0]


def _reads(node: ast.expr, enums: set[str]) -> bool:
    called = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
    return called in _READERS or called in enums


def _looks_up(node: ast.expr) -> bool:
    return isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice) and isinstance(node.ctx, ast.Load)


def _is_get(node: ast.AST) -> bool:
    """Whether it only takes a value out of the request: `request.args.get("page", 1)`, `text.strip()`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in (
        "get", "strip", "lower", "upper", "get_json")


def _guarded(crashed: Crashed, reader: ast.expr, error: str, status: int) -> Source:
    """The file with the expression in a `try` of its own: its whole statement, when that does nothing else."""
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
    else:
        first, rest = _apart(crashed, statement, reader, indent)
    return _with_try(crashed, statement, (first, rest), (indent, error, status))


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
    return all(each is reader or _is_get(each) or each in ast.walk(reader) for each in calls)
