"""A value that cannot be read is refused where it is read: one expression, and exactly its own error."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Patch, Unsure, written
from aiimprove.recipes.clients import NO_TEST
from aiimprove.recipes.crashed import Crashed, crashed_at
from aiimprove.recipes.guarding import guarded, is_get
from aiimprove.recipes.refusals import refusal_test
from aiimprove.recipes.sources import Source, python_sources, service_of
from aiimprove.settings import Config

NOT_FOUND = 404
_ERRORS = {"ValueError": "", "KeyError": "", "InvalidOperation": "decimal"}
"""What reading raises, and the module that it is from."""
_READERS = frozenset({"int", "float", "UUID", "fromisoformat", "strptime", "fromtimestamp", "Decimal"})
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
    changed = guarded(crashed, reader, (_ERRORS[error], error), status)
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
    if any(not is_get(node) for node in inner):
        raise Unsure("something else may raise in that expression")
    return found[0]


def _reads(node: ast.expr, enums: set[str]) -> bool:
    called = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
    return called in _READERS or called in enums


def _looks_up(node: ast.expr) -> bool:
    return isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice) and isinstance(node.ctx, ast.Load)
