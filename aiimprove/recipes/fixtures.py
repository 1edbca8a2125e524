"""The pytest fixtures of a file of tests, and which of them hands out a client of the app."""

from __future__ import annotations

import ast
from collections.abc import Iterator

CLIENT = "TestClient"
FLASK_CLIENT = "test_client"


def client_fixture(module: ast.Module) -> str:
    """The fixture that gives a client; the one called client, when there are several; empty without one."""
    names = [name for name, row in _fixtures(module).items() if isinstance(row, ast.FunctionDef) and _gives(row)]
    return "client" if "client" in names else names[0] if names else ""


def with_needed(module: ast.Module, name: str) -> list[str]:
    """A fixture and the others of the file that it needs, those first that others need."""
    known, wanted = _fixtures(module), [name]
    for each in wanted:
        arguments = known[each].args
        needed = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        wanted += [other for other in needed if other in known and other not in wanted]
    always = [other for other, row in known.items() if other not in wanted and "autouse=True" in _decorators(row)]
    return sorted([*wanted, *always])


def is_client(node: ast.AST) -> bool:
    """Whether this makes a client: `TestClient(app)` of Starlette, `app.test_client()` of Flask."""
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in (CLIENT, FLASK_CLIENT)


def _fixtures(module: ast.Module) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    return {row.name: row for row in module.body if isinstance(row, (ast.FunctionDef, ast.AsyncFunctionDef))
            and "fixture" in _decorators(row)}


def _decorators(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return " ".join(ast.unparse(decorator) for decorator in function.decorator_list)


def _gives(function: ast.FunctionDef) -> bool:
    """Whether it hands out a client; one that hands out a function that makes one does not."""
    own = list(_own(function))
    made = {name.id for row in own for name in _bound_to_client(row) if isinstance(name, ast.Name)}
    given = [row.value for row in own if isinstance(row, (ast.Return, ast.Yield)) and row.value is not None]
    return any(is_client(value) or (isinstance(value, ast.Name) and value.id in made) for value in given)


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in a function, without the functions in it."""
    for row in ast.iter_child_nodes(node):
        if not isinstance(row, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield row
            yield from _own(row)


def _bound_to_client(row: ast.AST) -> list[ast.expr]:
    """The names that a statement gives to a client: by assignment, or by `with ... as`."""
    if isinstance(row, ast.Assign) and is_client(row.value):
        return row.targets
    if isinstance(row, ast.AnnAssign) and row.value and is_client(row.value):
        return [row.target]
    items = row.items if isinstance(row, ast.With) else []
    return [item.optional_vars for item in items if item.optional_vars and is_client(item.context_expr)]
