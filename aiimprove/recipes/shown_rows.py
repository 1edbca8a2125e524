"""Rows that the app's own Python does not go through: a template does, or the framework that writes the answer."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

from aiimprove.finding import Finding
from aiimprove.recipes import Unsure
from aiimprove.recipes.crashed import Function, own
from aiimprove.recipes.relations import Relation
from aiimprove.recipes.routes import find
from aiimprove.recipes.row_queries import Frame, Root, assigned_once, root_of
from aiimprove.recipes.sources import Source

_RENDERING = frozenset({"render", "render_template", "TemplateResponse", "render_to_string"})


def answering(finding: Finding, sources: Sequence[Source]) -> Frame:
    """The handler of a route as FastAPI knows it. Raises Unsure."""
    details = finding.details
    handler = find(sources, "GET", str(details["route"]), str(details.get("operation", "")))
    named = [node for node in ast.walk(ast.parse(handler.source.text)) if isinstance(node, Function)
             and node.name == handler.function.name.value]
    if len(named) != 1:
        raise Unsure(f"{len(named)} functions are called {handler.function.name.value}")
    return Frame(handler.source, named[0], named[0].lineno)


def shown(frame: Frame, fitting: Sequence[Relation], models: Collection[str]) -> tuple[Root, Relation]:
    """The query whose rows are handed on there, and the one relationship of its model that fits. Raises Unsure."""
    roots = {(root.node.lineno, root.node.col_offset): root for value in _handed(frame)
             for root in _roots(frame, value, models)}
    found = [(root, each) for root in roots.values() for each in fitting
             if each.owner.name == root.model.rpartition(".")[2]]
    if len(found) != 1:
        raise Unsure(f"{len(found) or 'no'} relationships may be read of what {frame.function.name} shows")
    return found[0]


def renders(frame: Frame) -> bool:
    return any(_is_rendering(node) for node in frame.here())


def _is_rendering(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _RENDERING


def _handed(frame: Frame) -> Iterator[ast.expr]:
    """What a template is rendered with; without one, what the function returns."""
    calls = [node for node in frame.here() if isinstance(node, ast.Call) and _is_rendering(node)]
    for call in calls:
        for given in (*call.args, *(each.value for each in call.keywords)):
            yield from _values(frame, given)
    if not calls:
        yield from (node.value for node in own(frame.function) if isinstance(node, ast.Return) and node.value)


def _values(frame: Frame, given: ast.expr) -> Iterator[ast.expr]:
    if isinstance(given, ast.Name):
        try:
            value = assigned_once(frame.function, given.id)
        except Unsure:
            return
        yield from value.values if isinstance(value, ast.Dict) else [given]
    else:
        yield from given.values if isinstance(given, ast.Dict) else [given]


def _roots(frame: Frame, value: ast.expr, models: Collection[str]) -> Iterator[Root]:
    try:
        yield root_of(frame, value, models)
    except Unsure:
        return
