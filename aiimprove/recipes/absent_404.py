"""What is looked up by something that raises, and not there, is answered 404: around that one lookup."""

from __future__ import annotations

import ast
from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Elsewhere, Patch, Unsure, written
from aiimprove.recipes.clients import NO_TEST
from aiimprove.recipes.crashed import Crashed, crashed_at
from aiimprove.recipes.guarding import Error, guarded
from aiimprove.recipes.refusals import refusal_test
from aiimprove.recipes.sources import python_sources, service_of
from aiimprove.settings import Config

NOT_FOUND = 404
_LOOKUPS = {"DoesNotExist": frozenset({"get", "latest", "earliest"}), "NoResultFound": frozenset({"one", "scalar_one"})}
"""What raises it when there is no row."""
_FIRST = "IndexError"


class Absent404:
    """Wraps the statement that looks something up by `objects.get`, `one` or an index, and nothing else, in a `try` for
    exactly the error that says that it is not there. Refuses where more than one lookup stands on the line, or where
    the statement does something else too."""

    name = "absent_404"
    causes = ("missing-lookup",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service, raised = service_of(finding, config), str(finding.details.get("exception", ""))
    if raised not in (*_LOOKUPS, _FIRST):
        raise Elsewhere("the lookup gave None, and did not raise")
    crashed = crashed_at(finding, python_sources(tree, service), service.folder)
    found = [node for node in crashed.at_line() if isinstance(node, ast.expr)
             and _looks_up(node, raised) and crashed.hangs_on_value(node)]
    if len(found) != 1:
        raise Unsure(f"{len(found) or 'no'} lookups of that line may raise {raised}")
    changed = guarded(crashed, found[0], _error(crashed, found[0], raised), NOT_FOUND, alone=raised != _FIRST)
    test = refusal_test(tree, service, finding, NOT_FOUND, "not_found")
    return Patch(f"{finding.details['method']} {finding.details['route']} answers 404 when its {crashed.parameter} "
                 f"is not there.{'' if test else NO_TEST}", {changed.path: changed.text} | test)


def _looks_up(node: ast.AST, raised: str) -> bool:
    if raised == _FIRST:
        return isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and not isinstance(
            node.slice, ast.Slice) and isinstance(node.value, (ast.Name, ast.Attribute))
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _LOOKUPS[raised] \
        and not (raised == "DoesNotExist" and _of_request(node.func.value))


def _of_request(holder: ast.expr) -> bool:
    """`request.GET.get(...)` looks nothing up."""
    return isinstance(holder, ast.Attribute) and isinstance(holder.value, ast.Name) and holder.value.id == "request"


def _error(crashed: Crashed, lookup: ast.AST, raised: str) -> Error:
    """The error of the lookup, as the file may call it."""
    if raised == _FIRST:
        return "", _FIRST
    if raised == "NoResultFound":
        return "sqlalchemy.exc", raised
    model = next((ast.unparse(node.value) for node in ast.walk(lookup) if isinstance(node, ast.Attribute)
                  and node.attr == "objects" and isinstance(node.value, ast.Name)), "")
    return ("", f"{model}.{raised}") if model else ("django.core.exceptions", "ObjectDoesNotExist")
