"""How the tests of a service get a client for it, so that one more test can be written in their way."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiimprove.recipes import Unsure
from aiimprove.recipes.apps import entry
from aiimprove.recipes.definitions import defining
from aiimprove.recipes.fixtures import CLIENT, FLASK_CLIENT, client_fixture, is_client, with_needed
from aiimprove.settings import Service

_WRAPS = (CLIENT, "ASGITransport", "AsyncClient", "LifespanManager")
"""What tests put an app into."""
NO_TEST = " No test comes with it, as it is not plain how the tests get a client of the app."


@dataclass(frozen=True)
class Client:
    """`parameter` is the fixture that a test takes (empty: none), `name` what it calls the client.

    A `bare` one is made of the app alone: nobody has put a database behind it; `lenient` then makes one that answers
    500 where the app crashes.
    """

    imports: tuple[str, ...]
    name: str
    parameter: str = ""
    setup: tuple[str, ...] = ()
    bare: bool = False
    lenient: str = ""


def new_test(tree: Path, service: Service, name: str, body: Callable[[Client], Sequence[str]],
             imports: Sequence[str] = (), asgi: bool = True) -> dict[str, str]:
    """A test file with one test of this name, by its path in the tree; empty when the service has no tests, or when
    it is not plain how those that are there get their client.

    `body` gives the lines of the test, `imports` what they need besides; `asgi` says that the app is one. Raises
    Unsure when there is such a file already.
    """
    folder = tests_folder(tree, service)
    start = entry(service) if asgi else ("", "")
    client = _client(folder, tree / service.folder, start) if folder else None
    if folder is None or client is None:
        return {}
    path = folder / f"test_{name}.py"
    if path.exists():
        raise Unsure(f"there is a test {path.relative_to(tree)} already")
    setup = ["", *client.setup] if client.setup else []
    lines = [*imports, *client.imports, *setup, "", "", f"def test_{name}({client.parameter}):",
             *(f"    {line}" for line in body(client))]
    return {str(path.relative_to(tree)): "\n".join(lines).lstrip("\n") + "\n"}


def tests_folder(tree: Path, service: Service) -> Path | None:
    """Where the service's tests stand; None when it has none."""
    root = tree / service.folder
    named = root / service.tests if service.tests else root
    for folder in [named.parent if named.is_file() else named, root / "tests", root / "test", root]:
        if folder.is_dir() and any(_test_files(folder)):
            inner = next((path.parent for path in _test_files(folder)), folder)
            return folder if (folder / "conftest.py").exists() or any(folder.glob("test_*.py")) else inner
    return None


def _test_files(folder: Path) -> Iterator[Path]:
    every = folder.rglob("test_*.py") if folder.name in ("tests", "test") else folder.glob("test_*.py")
    yield from sorted(path for path in every if path.is_file())


def _client(folder: Path, root: Path, start: tuple[str, str]) -> Client | None:
    above = [each for each in (folder, *folder.parents) if each.is_relative_to(root)]
    shared = [module for each in above if (module := _parsed(each / "conftest.py"))]
    for module in shared:
        if fixture := client_fixture(module):
            return Client((), fixture, fixture)
    beside = [module for path in _test_files(folder) if path.parent == folder and (module := _parsed(path))]
    for module in beside:
        if client := _borrowed(module):
            return client
    modules = [*shared, *beside]
    return next((client for module in modules if (client := _made(module, start))), None)


def _parsed(path: Path) -> ast.Module | None:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return None


def _borrowed(module: ast.Module) -> Client | None:
    """The client of one test file, with all that makes it: a new test is run by itself."""
    fixture = client_fixture(module)
    if fixture:
        imports, setup = defining(module, with_needed(module, fixture))
        return Client(imports, fixture, fixture, setup)
    for row in module.body:
        if isinstance(row, ast.Assign) and is_client(row.value) and isinstance(row.targets[0], ast.Name):
            imports, setup = defining(module, [row.targets[0].id])
            return Client(imports, row.targets[0].id, setup=setup)
    return None


def _made(module: ast.Module, start: tuple[str, str]) -> Client | None:
    """A client made of the app, or of its factory without arguments, as the tests import it."""
    for call in (node for node in ast.walk(module) if isinstance(node, ast.Call)):
        given = _wrapped(call)
        made = isinstance(given, ast.Call) and not given.args and not given.keywords
        name = given.func if made and isinstance(given, ast.Call) else given
        if isinstance(name, (ast.Name, ast.Attribute)) and (row := _imported(module, ast.unparse(name))):
            app = ast.unparse(given) if given else ""
            return _bare_flask(row, app) if _is_flask(call) else _bare(row, app)
    if any(isinstance(each, ast.ImportFrom) and each.module == start[0] for each in module.body):
        return _bare(ast.ImportFrom(start[0], [ast.alias(start[1])], 0), start[1])
    return None


def _bare(row: ast.Import | ast.ImportFrom, app: str) -> Client:
    imports = (f"from fastapi.testclient import {CLIENT}", ast.unparse(row))
    return Client(imports, "client", setup=(f"client = {CLIENT}({app})",), bare=True,
                  lenient=f"{CLIENT}({app}, raise_server_exceptions=False)")


def _bare_flask(row: ast.Import | ast.ImportFrom, app: str) -> Client:
    return Client((ast.unparse(row),), "client", setup=(f"client = {app}.{FLASK_CLIENT}()",), bare=True)


def _is_flask(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == FLASK_CLIENT


def _wrapped(call: ast.Call) -> ast.expr | None:
    """What is given as the app to something that tests put an app into, or asked for a client."""
    if isinstance(call.func, ast.Attribute) and _is_flask(call):
        return call.func.value
    if ast.unparse(call.func).rpartition(".")[2] not in _WRAPS:
        return None
    return next((each.value for each in call.keywords if each.arg == "app"), call.args[0] if call.args else None)


def _imported(module: ast.Module, name: str) -> ast.Import | ast.ImportFrom | None:
    """The import at the top of the file that gives this name, with nothing else in it."""
    root = name.partition(".")[0]
    for row in module.body:
        kept = [each for each in row.names if (each.asname or each.name.partition(".")[0]) == root] if isinstance(
            row, (ast.Import, ast.ImportFrom)) else []
        if kept:
            return ast.Import(kept) if isinstance(row, ast.Import) else ast.ImportFrom(row.module, kept, row.level) \
                if isinstance(row, ast.ImportFrom) else None
    return None
