"""What is looked up and not there is answered 404, right after the lookup."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Elsewhere, Patch, Unsure, written
from aiimprove.recipes.clients import NO_TEST
from aiimprove.recipes.crashed import Crashed, assigned, bindings, crashed_at, own
from aiimprove.recipes.refusals import refusal_test
from aiimprove.recipes.sources import python_sources, service_of
from aiimprove.settings import Config

NOT_FOUND = 404
_LACKS = re.compile(r"'NoneType' object has no attribute '(\w+)'")
_OF_A_ROW = (".delete", ".refresh", ".add", ".expunge")
"""What a session of SQLAlchemy does to a row."""
_TAKERS = frozenset({"dict", "list", "tuple", "set", "sorted", "len", "sum", "enumerate", "iter"})


class Lookup404:
    """Refuses where it is not plain which variable is None, or where the handler means something by None."""

    name = "lookup_404"
    causes = ("missing-lookup",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service = service_of(finding, config)
    if "NoneType" not in str(finding.details.get("message", "NoneType")):
        raise Elsewhere("the lookup raised, and gave nothing")
    crashed = crashed_at(finding, python_sources(tree, service), service.folder)
    name = _empty(crashed, str(finding.details["message"]))
    given = _given(crashed, name)
    changed = crashed.refusing((given.end_lineno or given.lineno), given, f"{name} is None", NOT_FOUND)
    test = refusal_test(tree, service, finding, NOT_FOUND, "not_found")
    return Patch(f"{finding.details['method']} {finding.details['route']} answers 404 when its {crashed.parameter} "
                 f"is not there.{'' if test else NO_TEST}", {changed.path: changed.text} | test)


def _empty(crashed: Crashed, message: str) -> str:
    """The variable that was None on the line that raised. Raises Unsure when it might be another one."""
    used = {node.id for each in (*crashed.at_line(), *_loops(crashed)) for node in _used(each, message)}
    found = sorted(name for name in used if assigned(crashed.handler, name))
    if len(found) != 1:
        raise Unsure("it is not plain what is None there" if not found else
                     f"{' or '.join(found)} may be None there")
    return found[0]


def _loops(crashed: Crashed) -> Iterator[ast.AST]:
    for each in own(crashed.handler):
        if isinstance(each, (ast.For, ast.Assign)) and each.lineno == crashed.line:
            yield each


def _used(node: ast.AST, message: str) -> Iterator[ast.Name]:
    """The variables that a node uses in the way of which None is not capable."""
    lacking = _LACKS.search(message)
    used: list[ast.expr] = []
    if lacking:
        used = [node.value] if isinstance(node, ast.Attribute) and node.attr == lacking[1] else []
    elif "subscriptable" in message:
        used = [node.value] if isinstance(node, ast.Subscript) else []
    elif "unpack" in message:
        used = [node.value] if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple) else []
    elif "not mapped" in message:
        used = node.args[:1] if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(_OF_A_ROW) else []
    elif "iterable" in message or "mapping" in message or "has no len" in message:
        if isinstance(node, ast.Call):
            used = [each.value for each in node.keywords if each.arg is None]
            used += node.args[:1] if ast.unparse(node.func) in _TAKERS else []
        used += [node.iter] if isinstance(node, ast.For) else [each.iter for each in getattr(node, "generators", ())]
        used += [value for key, value in zip(node.keys, node.values, strict=True) if key is None] if isinstance(
            node, ast.Dict) else []
    yield from (each for each in used if isinstance(each, ast.Name))


def _given(crashed: Crashed, name: str) -> ast.Assign | ast.AnnAssign:
    """The one lookup that gives the variable. Raises Unsure when None may be meant there."""
    given = assigned(crashed.handler, name)
    if len(given) != 1 or bindings(crashed.handler, name) != 1 or given[0].lineno > crashed.line:
        raise Unsure(f"{name} is given in more than one place")
    value = given[0].value.value if isinstance(given[0].value, ast.Await) else given[0].value
    if not isinstance(value, ast.Call) or not crashed.hangs_on_value(value):
        raise Unsure(f"{name} is not looked up by {crashed.parameter} as far as can be seen")
    crashed.means_nothing_by_none(name)
    crashed.quiet(given[0])
    return given[0]
