"""The object that a Python web app is: which framework made it, and by which name a server finds it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from aiimprove.recognition.commands import Line
from aiimprove.recognition.sources import Sources

ASGI = {"FastAPI": "FastAPI", "Starlette": "Starlette", "Quart": "Quart", "Litestar": "Litestar", "Sanic": "Sanic"}
WSGI = {"Flask": "Flask", "Bottle": "Bottle", "APIFlask": "Flask", "OpenAPI": "Flask"}
_STEMS = ("main", "app", "asgi", "wsgi", "server", "application", "api", "run", "__init__")
_TARGET = re.compile(r"(?:uvicorn|gunicorn|hypercorn|daphne|granian|waitress(?:-serve)?|--app|FLASK_APP)"
                     r"(?=[\s=])[^\n|&;]*?[\s=\"']([A-Za-z_][\w./]*):([A-Za-z_]\w*)")
_MODULE = re.compile(r"(?:FLASK_APP=|--app[ =]|fastapi (?:run|dev) )\"?([A-Za-z_][\w./]*)\"?(?=\s|$)")


@dataclass(frozen=True)
class App:
    """An app object: `module:name`, or a function without required parameters that makes one. `root` is the folder
    that Python has to look in ("" for the service's own); `takes_settings` says that it takes a mapping of settings,
    `called` what it is called with."""

    framework: str
    module: str
    name: str
    path: str
    where: str
    factory: bool = False
    root: str = ""
    takes_settings: bool = False
    called: str = ""

    @property
    def target(self) -> str:
        return f"{self.module}:{self.name}{self.called}"

    @property
    def asgi(self) -> bool:
        return self.framework in ASGI.values()


def find(at: Sources, lines: list[Line]) -> App | None:
    """The app of a folder: the one that a start line names, else the likeliest."""
    found = sorted(_all(at), key=_likely)
    for line in lines:
        for module, name in _named(line.text):
            hit = next((app for app in found if _same(app, module, name)), None)
            if hit is not None:
                return hit
    return found[0] if found else None


def _named(text: str) -> Iterator[tuple[str, str]]:
    yield from ((match[1], match[2]) for match in _TARGET.finditer(text))
    yield from ((match[1], "") for match in _MODULE.finditer(text))


def _same(app: App, module: str, name: str) -> bool:
    asked = module.removesuffix(".py").replace("/", ".")
    return (app.module == asked or f".{app.module}".endswith(f".{asked}")) and name in ("", app.name)


def _likely(app: App) -> tuple[bool, bool, int, int, str]:
    stem = app.path.rpartition("/")[2].removesuffix(".py")
    aside = any(part in ("examples", "example", "docs", "scripts", "benchmarks") for part in app.path.split("/"))
    return (aside, app.factory, app.path.count("/") - (stem == "__init__"),
            _STEMS.index(stem) if stem in _STEMS else len(_STEMS), app.path)


def _all(at: Sources) -> Iterator[App]:
    factories: dict[str, str] = {}
    for path, tree in at.python():
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and (made := _made_in(node)):
                if _callable_bare(node):
                    yield replace(_app(at, path, made, node.name, node.lineno, factory=True),
                                  takes_settings=_takes_settings(node))
                factories[node.name] = made
    for path, tree in at.python():
        for name, call, line in _assigned(tree):
            made = framework_of(call) or factories.get(_called(call), "")
            if made:
                yield _app(at, path, made, name, line)


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.Call, int]]:
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.Call):
            yield target.id, value, node.lineno


def _app(at: Sources, path: str, made: str, name: str, line: int, factory: bool = False) -> App:
    root = _root(at, path)
    inner = path.removeprefix(f"{root}/") if root else path
    module = inner.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    return App(made, module, name, path, at.where(path, line), factory, root)


def framework_of(call: ast.Call) -> str:
    """The framework that a call makes an app of; empty when it makes none."""
    return {**ASGI, **WSGI}.get(_called(call), "")


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def _made_in(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    made = {ast.unparse(node.targets[0]): framework_of(node.value) for node in ast.walk(function)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and framework_of(node.value)}
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            if ast.unparse(node.value) in made:
                return made[ast.unparse(node.value)]
            if isinstance(node.value, ast.Call) and framework_of(node.value):
                return framework_of(node.value)
    return ""


def _callable_bare(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    wanted = function.args
    return isinstance(function, ast.FunctionDef) and len(wanted.args) == len(wanted.defaults) and all(
        default is not None for default in wanted.kw_defaults)


def _takes_settings(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether its first parameter is a mapping that the settings are updated from."""
    first = function.args.args[0].arg if function.args.args else ""
    return bool(first) and any(isinstance(node, ast.Call) and re.search(r"config\.(update|from_mapping)$", ast.unparse(
        node.func)) and any(isinstance(each, ast.Name) and each.id == first for each in node.args)
        for node in ast.walk(function))


def _root(at: Sources, path: str) -> str:
    """The folder from which the modules are named: that of the file when its neighbours are imported by their bare
    names, `src`, else the service's own."""
    folders = path.split("/")[:-1]
    for depth in range(len(folders), 0, -1):
        folder = "/".join(folders[:depth])
        if at.has(f"{folder}/__init__.py"):
            continue
        if folders[depth - 1] == "src" or _imports_neighbours(at, path, folder):
            return folder
    return ""


def _imports_neighbours(at: Sources, path: str, folder: str) -> bool:
    tree = at.tree(path)
    names = {name for node in ast.walk(tree) if (name := _imported(node))} if tree else set()
    return any((at.has(f"{folder}/{name}.py") or at.has(f"{folder}/{name}/__init__.py"))
               and not at.has(f"{name}.py") and not at.has(f"{name}/__init__.py") for name in names)


def _imported(node: ast.AST) -> str:
    if isinstance(node, ast.ImportFrom) and not node.level:
        return (node.module or "").partition(".")[0]
    return node.names[0].name.partition(".")[0] if isinstance(node, ast.Import) else ""
