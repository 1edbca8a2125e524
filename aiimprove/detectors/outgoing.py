"""Calls in an app's own code that ask other servers and wait as long as they like; and which routes lead there."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiimprove.openapi import Route

Function = ast.FunctionDef | ast.AsyncFunctionDef
_VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "request"})
_ROUTING = frozenset({"get", "post", "put", "patch", "delete", "route", "api_route"})
_NOT_THE_APP = {"tests", "test", "migrations", "node_modules", "venv", "env", "site-packages", "scripts", "docs"}
_PLACE_OF_TIMEOUT = 3
"""urlopen(url, data, timeout)."""


@dataclass(frozen=True)
class Waiting:
    """A call without a timeout: where it stands, and how it is written there."""

    file: str
    function: str
    line: int
    said: str


@dataclass(frozen=True)
class Code:
    """The functions of an app by their name, and what waits in them."""

    functions: Mapping[str, Sequence[Function]]
    waiting: Sequence[Waiting]

    def reached(self, route: Route) -> list[Waiting]:
        """What waits in the handler of a route, or in what that calls, by name."""
        seen: set[str] = set()
        left = [name for name, rows in self.functions.items() if any(_answers(row, route) for row in rows)]
        while left:
            name = left.pop()
            if name not in seen:
                seen.add(name)
                left += [called for row in self.functions[name] for called in _called(row) if called in self.functions]
        return [each for each in self.waiting if each.function in seen]


def code(root: Path) -> Code:
    """Reads the app's own Python files; what cannot be read holds nothing. Nothing waits where the program has a
    timeout for all of its sockets."""
    trees = {str(path.relative_to(root)): tree for path in sorted(root.rglob("*.py"))
             if not _aside(path.relative_to(root)) and (tree := _parsed(path))}
    functions: dict[str, list[Function]] = {}
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                functions.setdefault(node.name, []).append(node)
    for_all = any(isinstance(node, ast.Call) and ast.unparse(node.func).endswith("setdefaulttimeout")
                  for tree in trees.values() for node in ast.walk(tree))
    waiting = () if for_all else tuple(each for file, tree in trees.items() for each in _waiting(file, tree))
    return Code(functions, waiting)


def _aside(path: Path) -> bool:
    return path.name.startswith("test_") or path.name == "conftest.py" or any(
        part in _NOT_THE_APP or part.startswith(".") for part in path.parts[:-1])


def _parsed(path: Path) -> ast.Module | None:
    try:
        return ast.parse(path.read_text("utf-8"))
    except (OSError, SyntaxError, ValueError):
        return None


def _waiting(file: str, tree: ast.Module) -> Iterator[Waiting]:
    waits = _waiters(tree)
    for function in (node for node in ast.walk(tree) if isinstance(node, Function)):
        for call in _own_calls(function):
            if ast.unparse(call.func) in waits and not _timed(call):
                yield Waiting(file, function.name, call.lineno, ast.unparse(call.func))


def _waiters(tree: ast.Module) -> set[str]:
    """How the functions that wait can be written in a file: requests.get, a session's get, urlopen."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                local = each.asname or each.name
                found |= {f"{local}.{verb}" for verb in _VERBS} if each.name == "requests" else set()
                found |= {f"{local}.urlopen"} if each.name == "urllib.request" else set()
        elif isinstance(node, ast.ImportFrom) and not node.level:
            wanted = {"requests": _VERBS, "urllib.request": {"urlopen"}, "urllib": {"request"}}.get(node.module or "")
            for each in node.names if wanted else ():
                if wanted and each.name in wanted:
                    name = each.asname or each.name
                    found.add(f"{name}.urlopen" if node.module == "urllib" else name)
    mounted = any(isinstance(node, ast.Attribute) and node.attr == "mount" for node in ast.walk(tree))
    sessions = set() if mounted else {name for node in ast.walk(tree) for name in _sessions(node)}
    return found | {f"{name}.{verb}" for name in sessions for verb in _VERBS}


def _sessions(node: ast.AST) -> list[str]:
    """The names that a statement gives to a session of requests."""
    if isinstance(node, ast.Assign) and _is_session(node.value):
        return [ast.unparse(target) for target in node.targets]
    items = node.items if isinstance(node, ast.With) else []
    return [ast.unparse(item.optional_vars) for item in items if item.optional_vars and _is_session(item.context_expr)]


def _is_session(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("requests.Session", "requests.session")


def _timed(call: ast.Call) -> bool:
    """Whether a timeout is given, or may be: `**options`."""
    if any(each.arg in (None, "timeout") for each in call.keywords):
        return True
    return ast.unparse(call.func).endswith("urlopen") and len(call.args) >= _PLACE_OF_TIMEOUT


def _own_calls(function: Function) -> Iterator[ast.Call]:
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.Call):
            yield node
        waiting += [each for each in ast.iter_child_nodes(node) if not isinstance(each, Function)]


def _called(function: Function) -> Iterator[str]:
    for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
        yield ast.unparse(call.func).rpartition(".")[2]


def _answers(function: Function, route: Route) -> bool:
    """Whether a function is the handler of a route: by its name in a URL map, or by what FastAPI makes of it."""
    if function.name == route.operation:
        return True
    decorated = any(isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in _ROUTING
                    for each in function.decorator_list)
    return decorated and route.operation.startswith(f"{function.name}_")
