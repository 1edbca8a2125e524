"""Routes of apps without an OpenAPI document: the URL map that a Flask or Django app wrote, and what its functions
take out of a request, read in their source."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from aiimprove.detectors.tracebacks import own_file
from aiimprove.finding import Json
from aiimprove.openapi import METHODS, Parameter, Route

_SCHEMAS: Mapping[str, Mapping[str, Json]] = {
    "int": {"type": "integer"}, "float": {"type": "number"},
    "uuid": {"type": "string", "format": "uuid"}, "slug": {"type": "string"}}
_QUERY, _FORM = frozenset({"args", "GET", "values"}), frozenset({"form", "POST"})
_BODY = frozenset({"json", "data"})
_READ = frozenset({"get_json", "loads"})
_TEXT: Mapping[str, Json] = {"type": "string"}
_TAKEN_AS = {"int": "integer", "float": "number"}


def listed(file: Path, source: Path) -> list[Route]:
    """The routes of a URL map whose functions stand in the tree `source`; reading ones first, none without a map."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    found = [route for row in rows for route in _routes(row, source)]
    order = [method.upper() for method in METHODS]
    return sorted(found, key=lambda route: order.index(route.method))


def _routes(row: Mapping[str, Json], source: Path) -> Iterator[Route]:
    for view in row["views"]:
        function = _function(view, source)
        if function is None:
            continue
        path = tuple(Parameter(name, "path", _SCHEMAS.get(kind, _TEXT), True, "")
                     for name, kind in row["converters"].items())
        taken = tuple(_taken(function))
        methods = [view["method"]] if view["method"] else ["GET", *(["POST"] if _writes(function) else [])]
        for method in methods:
            places = ("query",) if method == "GET" else ("query", "body", "form")
            yield Route(method, row["path"], view.get("called", function.name),
                        (*path, *(each for each in taken if each.location in places)))


def _function(view: Mapping[str, Json], source: Path) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The view in the tree, of those of its name the one at its line; None when it is not the app's own."""
    path = own_file(str(view["file"]), source)
    try:
        tree = ast.parse((source / path).read_text(encoding="utf-8")) if path else ast.Module([], [])
    except (OSError, SyntaxError, ValueError):
        return None
    found = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
             and node.name == view["function"]]
    same = [node for node in found if view.get("line") in (node.lineno, *(each.lineno for each in node.decorator_list))]
    return next(iter(same or found), None)


def _writes(function: ast.AST) -> bool:
    """Whether a Django function asks for what only a POST has."""
    return any((isinstance(node, ast.Attribute) and node.attr in ("POST", "body"))
               or (isinstance(node, ast.Constant) and node.value == "POST") for node in ast.walk(function))


def _taken(function: ast.AST) -> Iterator[Parameter]:
    """What it takes out of the query, a form and a JSON body, each once."""
    bodies = {target.id for node in ast.walk(function) if isinstance(node, ast.Assign) and _is_body(node.value)
              for target in node.targets if isinstance(target, ast.Name)}
    numbers = _numbers(function)
    seen = set()
    for node in ast.walk(function):
        name, holder, usual = _asked(node)
        location = "" if holder is None else _location(holder, bodies)
        if location and (name, location) not in seen:
            seen.add((name, location))
            schema = {"type": numbers.get(name, "string")} | ({} if usual is None else {"default": usual})
            yield Parameter(name, location, schema, isinstance(node, ast.Subscript), "")


def _asked(node: ast.AST) -> tuple[str, ast.expr | None, Json]:
    """`holder["name"]` or `holder.get("name", 1)`: the name, the holder, and what it is when it was not sent."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        return node.slice.value, node.value, None
    if (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args
            and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)):
        usual = node.args[1].value if len(node.args) > 1 and isinstance(node.args[1], ast.Constant) else None
        return node.args[0].value, node.func.value, usual
    return "", None, None


def _location(holder: ast.expr, bodies: set[str]) -> str:
    if isinstance(holder, ast.Attribute) and holder.attr in _QUERY:
        return "query"
    if isinstance(holder, ast.Attribute) and holder.attr in _FORM and ast.unparse(holder.value).endswith("request"):
        return "form"
    return "body" if _is_body(holder) or (isinstance(holder, ast.Name) and holder.id in bodies) else ""


def _is_body(node: ast.expr) -> bool:
    """`request.json`, `request.get_json()`, `json.loads(request.body)`."""
    if isinstance(node, ast.BoolOp):
        return any(_is_body(each) for each in node.values)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _READ:
        return node.func.attr == "get_json" or "body" in ast.unparse(node)
    return isinstance(node, ast.Attribute) and node.attr in _BODY and ast.unparse(node.value) == "request"


def _numbers(function: ast.AST) -> Mapping[str, str]:
    """The types of what is read as a number right where it is taken."""
    return {name: _TAKEN_AS[node.func.id] for node in ast.walk(function)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _TAKEN_AS
            for each in node.args[:1] for name in [_asked(each)[0]] if name}
