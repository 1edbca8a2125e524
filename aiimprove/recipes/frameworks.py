"""How a handler of each framework refuses a request."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from aiimprove.recipes import Unsure
from aiimprove.recipes.imports import with_name
from aiimprove.recipes.sources import Source

_CLASSES = ("View", "Resource", "Endpoint")
"""How the classes end whose methods answer requests: Flask's, those of flask-restful, Starlette's."""
_REGISTERING = frozenset({"add_url_rule", "add_api_route", "add_route", "Route"})
_VERBS = frozenset({"get", "post", "put", "patch", "delete", "route", "api_route"})


@dataclass(frozen=True)
class Framework:
    """`invalid` is the status with which its apps answer a value of the query or the body that they cannot read."""

    name: str
    module: str
    refusal: Mapping[int, tuple[str, str, str]]
    """Status → the module and name to import, and the statement, with {name} for how it is called there."""
    invalid: int

    def refusing(self, source: Source, status: int) -> tuple[Source, str]:
        """The file with what it takes to refuse with a status, and the statement that does."""
        module, name, words = self.refusal[status]
        changed, called = with_name(source, module, name)
        return changed, words.format(name=called)


def _raised(module: str, statuses: tuple[int, ...]) -> Mapping[int, tuple[str, str, str]]:
    return {status: (module, "HTTPException", f"raise {{name}}(status_code={status})") for status in statuses}


FRAMEWORKS = (
    Framework("FastAPI", "fastapi", _raised("fastapi", (404, 422)), 422),
    Framework("Starlette", "starlette", _raised("starlette.exceptions", (404, 422)), 422),
    Framework("Flask", "flask", {status: ("flask", "abort", f"{{name}}({status})") for status in (400, 404)}, 400),
    Framework("Django", "django", {404: ("django.http", "Http404", "raise {name}"),
                                   400: ("django.core.exceptions", "BadRequest", "raise {name}")}, 400),
)


def framework_of(source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Framework:
    """The framework that calls a function. Raises Unsure when none does as far as can be seen."""
    known = imported(source)
    named = _decorated(function) or _in_a_class(source, function) or _registered(source, function)
    for each in FRAMEWORKS:
        if each.module in known and (named or (each.name == "Django" and _takes_request(function))):
            return each
    raise Unsure(f"{function.name} of {source.path} is no handler of a route as far as can be seen")


def _decorated(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in _VERBS
               for each in function.decorator_list)


def _in_a_class(source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it is the method for a verb of a class that answers requests."""
    holding = [node for node in ast.walk(ast.parse(source.text)) if isinstance(node, ast.ClassDef)
               and any(getattr(row, "lineno", 0) == function.lineno for row in node.body)]
    return function.name in _VERBS and any(ast.unparse(base).endswith(_CLASSES) for node in holding
                                           for base in node.bases)


def _registered(source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the file hands it to a framework by name: `app.add_url_rule("/", view_func=index)`."""
    calls = (node for node in ast.walk(ast.parse(source.text)) if isinstance(node, ast.Call)
             and ast.unparse(node.func).rpartition(".")[2] in _REGISTERING)
    return any(isinstance(given, ast.Name) and given.id == function.name for call in calls
               for given in (*call.args, *(each.value for each in call.keywords)))


def _takes_request(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    return names[:1] == ["request"] or names[:2] == ["self", "request"]


def imported(source: Source) -> set[str]:
    """The packages that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.text)):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found
