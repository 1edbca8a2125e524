"""How the tests of a service get a client for it, so that one more test can be written in their way."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiimprove.recipes import Unsure
from aiimprove.settings import Service

_CLIENT = "TestClient"


@dataclass(frozen=True)
class Client:
    """`parameter` is the fixture that a test takes (empty: none), `name` what it calls the client."""

    imports: tuple[str, ...]
    name: str
    parameter: str = ""
    setup: tuple[str, ...] = ()


def new_test(tree: Path, service: Service, name: str, body: Callable[[str], Sequence[str]]) -> dict[str, str]:
    """A test file with one test of this name, by its path in the tree; empty when the service has no tests.

    `body` gives the lines of the test for the name of its client. Raises Unsure when it is not plain how the
    tests that are there get their client.
    """
    folder = tests_folder(tree, service)
    if folder is None:
        return {}
    path = folder / f"test_{name}.py"
    if path.exists():
        raise Unsure(f"there is a test {path.relative_to(tree)} already")
    client = _client(folder)
    setup = ["", *client.setup] if client.setup else []
    hides_import = "  # noqa: F811" if client.parameter and client.imports else ""
    lines = [*client.imports, *setup, "", "", f"def test_{name}({client.parameter}):{hides_import}",
             *(f"    {line}" for line in body(client.name))]
    return {str(path.relative_to(tree)): "\n".join(lines).lstrip("\n") + "\n"}


def tests_folder(tree: Path, service: Service) -> Path | None:
    """Where the service's tests stand; None when it has none."""
    root = tree / service.folder
    for folder in [root / name for name in (service.tests, "tests", "test") if name] + [root]:
        if folder.is_dir() and any(_test_files(folder)):
            inner = next((path.parent for path in _test_files(folder)), folder)
            return folder if (folder / "conftest.py").exists() or any(folder.glob("test_*.py")) else inner
    return None


def _test_files(folder: Path) -> Iterator[Path]:
    every = folder.rglob("test_*.py") if folder.name in ("tests", "test") else folder.glob("test_*.py")
    yield from sorted(path for path in every if path.is_file())


def _client(folder: Path) -> Client:
    conftest = _parsed(folder / "conftest.py")
    fixture = _fixture(conftest) if conftest else ""
    if fixture:
        return Client((), fixture, fixture)
    for path in _test_files(folder):
        if path.parent == folder and (tested := _parsed(path)) and (client := _borrowed(tested, path)):
            return client
    raise Unsure(f"it is not plain how the tests in {folder.name} get a client of the app")


def _parsed(path: Path) -> ast.Module | None:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return None


def _fixture(module: ast.Module) -> str:
    """The fixture that gives a TestClient; the one called client, when there are several."""
    names = [row.name for row in module.body if isinstance(row, ast.FunctionDef) and _is_fixture(row) and _gives(row)]
    return "client" if "client" in names else names[0] if names else ""


def _is_fixture(function: ast.FunctionDef) -> bool:
    return any("fixture" in ast.unparse(decorator) for decorator in function.decorator_list)


def _gives(function: ast.FunctionDef) -> bool:
    """Whether a TestClient is made in the function itself, not in one that it hands out."""
    if any(isinstance(row, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) for statement in function.body
           for row in ast.walk(statement)):
        return False
    return any(_is_client(row) for row in ast.walk(function))


def _is_client(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == _CLIENT


def _borrowed(module: ast.Module, path: Path) -> Client | None:
    """The client of one test file: its fixture or its own one by import, or one made in the same simple way."""
    package = "." if (path.parent / "__init__.py").exists() else ""
    home = f"from {package}{path.stem} import "
    fixture = _fixture(module)
    if fixture:
        return Client((f"{home}{fixture}  # noqa: F401",), fixture, fixture)
    for row in module.body:
        if isinstance(row, ast.Assign) and _is_client(row.value) and isinstance(row.targets[0], ast.Name):
            return Client((f"{home}{row.targets[0].id}",), row.targets[0].id)
    calls = [node for node in ast.walk(module) if _is_client(node)]
    return _made(module, calls[0]) if calls else None


def _made(module: ast.Module, call: ast.AST) -> Client | None:
    """TestClient(app), or TestClient(create_app()), of an imported name."""
    assert isinstance(call, ast.Call)
    given = call.args[0] if call.args else None
    made = isinstance(given, ast.Call) and not given.args and not given.keywords
    name = given.func if made and isinstance(given, ast.Call) else given
    if len(call.args) != 1 or not isinstance(name, (ast.Name, ast.Attribute)):
        return None
    root = ast.unparse(name).partition(".")[0]
    wanted = [row for row in module.body if isinstance(row, (ast.Import, ast.ImportFrom))
              and any((each.asname or each.name.partition(".")[0]) in (root, _CLIENT) for each in row.names)]
    imports = [_only(row, {root, _CLIENT}) for row in wanted]
    return Client(tuple(imports), "client", setup=(f"client = {ast.unparse(call)}",)) if len(imports) >= 2 else None


def _only(row: ast.Import | ast.ImportFrom, names: set[str]) -> str:
    kept = [each for each in row.names if (each.asname or each.name.partition(".")[0]) in names]
    return ast.unparse(ast.Import(kept) if isinstance(row, ast.Import) else ast.ImportFrom(row.module, kept, row.level))
