"""JSON null where the code needs a value is refused right before it is used."""

from __future__ import annotations

import ast
from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Patch, Unsure, written
from aiimprove.recipes.clients import NO_TEST
from aiimprove.recipes.crashed import Crashed, assigned, bindings, crashed_at, shared
from aiimprove.recipes.refusals import refusal_test
from aiimprove.recipes.sources import python_sources, service_of
from aiimprove.settings import Config

_SIMPLE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr)


class NullInBody:
    """Refuses where it is not plain which expression of the line is the value, or where None may be meant."""

    name = "null_in_body"
    causes = ("null-in-body",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service = service_of(finding, config)
    crashed = crashed_at(finding, python_sources(tree, service), service.folder)
    values = {ast.unparse(each): each for each in crashed.at_line() if _is_value(crashed, each)}
    if len(values) != 1:
        raise Unsure("it is not plain what is null there")
    [(words, value)] = values.items()
    crashed.means_nothing_by_none(words)
    statement, status = crashed.statement(value), crashed.framework.invalid
    crashed.quiet(statement)
    if not _stands_alone(crashed, statement, value):
        raise Unsure("what uses the value is no statement of its own")
    changed = crashed.refusing(statement.lineno - 1, statement, f"{words} is None", status)
    test = refusal_test(tree, service, finding, status, "null")
    return Patch(f"{finding.details['method']} {finding.details['route']} answers {status} to null as "
                 f"{crashed.parameter}.{'' if test else NO_TEST}", {changed.path: changed.text} | test)


def _is_value(crashed: Crashed, node: ast.AST) -> bool:
    """Whether an expression is nothing but the value that was sent: `data["name"]`, `order.name`, or its variable."""
    if isinstance(node, ast.Name):
        given = assigned(crashed.handler, node.id)
        return len(given) == 1 and bindings(crashed.handler, node.id) == 1 and given[0].value is not None and (
            _taken(given[0].value, crashed.parameter))
    return isinstance(getattr(node, "ctx", ast.Load()), ast.Load) and _taken(node, crashed.parameter)


def _taken(node: ast.AST, parameter: str) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == parameter and isinstance(node.value, ast.Name)
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and node.slice.value == parameter and _pure(node.value)
    return (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get"
            and len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and node.args[0].value == parameter
            and _pure(node.func.value))


def _pure(node: ast.expr) -> bool:
    return isinstance(node, (ast.Name, ast.Attribute))


def _stands_alone(crashed: Crashed, statement: ast.stmt, value: ast.AST) -> bool:
    """Whether the line above the statement is met exactly when it is."""
    if isinstance(statement, ast.If):
        word = crashed.source.text.splitlines()[statement.lineno - 1].lstrip()
        return word.startswith("if") and value in ast.walk(statement.test) and not shared(statement.test, value)
    return isinstance(statement, _SIMPLE) and not shared(statement, value)
