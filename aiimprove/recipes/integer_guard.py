"""Bounds on an integer of a Flask or Django handler, as a guard right where it is known: what crashed is refused."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

from aiimprove.finding import Finding, Json
from aiimprove.recipes import Declined, Draft, Elsewhere, Patch, Unsure, written
from aiimprove.recipes.clients import NO_TEST
from aiimprove.recipes.crashed import Crashed, Function, assigned, bindings, own
from aiimprove.recipes.fields import readable
from aiimprove.recipes.frameworks import Framework, framework_of
from aiimprove.recipes.refusals import border_test
from aiimprove.recipes.sources import Source, python_sources, service_of
from aiimprove.settings import Config

NOT_FOUND = 404
_BY_GUARD = frozenset({"Flask", "Django"})


class IntegerGuard:
    """One parameter at a time, in the handler alone. Refuses where the values that pass are not one stretch, or where
    the number is not a parameter of the handler or a variable that is given once."""

    name = "integer_guard"
    causes = ("integer-out-of-range",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service, every = service_of(finding, config), finding.details.get("parameters", ())
    sources = python_sources(tree, service)
    handler = _handler(sources, finding)
    if len(every) != 1:
        raise Unsure("more than one number has no bounds there")
    [one] = every
    status = NOT_FOUND if one["location"] == "path" else handler.framework.invalid
    changed = _guarded(handler, one, status)
    test = border_test(tree, service, finding, status)
    return Patch(f"{finding.details['method']} {finding.details['route']} answers {status} to a {handler.parameter} "
                 f"that is out of range.{'' if test else NO_TEST}", {changed.path: changed.text} | test)


def _handler(sources: Sequence[Source], finding: Finding) -> Crashed:
    """The handler of the route. Elsewhere when no framework calls it that is guarded in this way."""
    name, parameter = str(finding.details["operation"]), str(finding.details["parameter"])
    found = [(source, node) for source in sources for around in ast.walk(ast.parse(source.text))
             for node in ast.iter_child_nodes(around) if isinstance(node, Function) and name == _called(around, node)]
    known = [Crashed(source, node, node.lineno, parameter, framework) for source, node in found
             for framework in _frameworks(source, node)]
    if not known:
        raise Elsewhere("no handler of Flask or Django answers there")
    if len(known) != 1:
        raise Unsure(f"{len(known)} functions are called {name}")
    return known[0]


def _called(around: ast.AST, node: Function) -> str:
    return f"{around.name}.{node.name}" if isinstance(around, ast.ClassDef) else node.name


def _frameworks(source: Source, node: Function) -> list[Framework]:
    """The framework that calls a function, when it is one of these."""
    try:
        found = framework_of(source, node)
    except Unsure:
        return []
    return [found] if found.name in _BY_GUARD else []


def _guarded(handler: Crashed, one: Mapping[str, Json], status: int) -> Source:
    least, most = one.get("lowest_ok"), one.get("highest_ok")
    if not one.get("one_stretch") or (least is None and most is None):
        raise Unsure("the values that pass are not one stretch, so that bounds would refuse some of them")
    name, beside, line = _place(handler, one["location"] == "path")
    handler.quiet(beside)
    if least is not None and most is not None:
        return handler.refusing(line, beside, f"not {readable(least)} <= {name} <= {readable(most)}", status)
    sides = [f"{name} {sign} {readable(bound)}" for sign, bound in (("<", least), (">", most)) if bound is not None]
    return handler.refusing(line, beside, sides[0], status)


def _place(handler: Crashed, in_path: bool) -> tuple[str, ast.stmt, int]:
    """The variable, a statement that stands as deep as the guard has to, and the line after which the guard comes."""
    function = handler.handler
    if in_path:
        first = function.body[0]
        if bindings(function, handler.parameter) != 1 or ast.get_docstring(function) is not None:
            raise Unsure(f"{handler.parameter} is given anew in the handler, or its first line is documentation")
        return handler.parameter, first, first.lineno - 1
    given = [each for each in own(function) if isinstance(each, ast.Assign) and isinstance(each.value, ast.Call)
             and ast.unparse(each.value.func) == "int" and handler.hangs_on_value(each.value)]
    if len(given) != 1 or not isinstance(given[0].targets[0], ast.Name):
        raise Unsure(f"{handler.parameter} is not read into one variable")
    name = given[0].targets[0].id
    if bindings(function, name) != 1 or len(assigned(function, name)) != 1:
        raise Unsure(f"{name} is given in more than one place")
    return name, given[0], given[0].end_lineno or given[0].lineno
