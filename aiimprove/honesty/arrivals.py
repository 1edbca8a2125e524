"""New files and new imports: nothing that stands where another module is looked for, no package that nobody chose."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import PurePosixPath

from aiimprove.honesty.written import Known, Written

RUNNERS = frozenset({"pytest", "_pytest", "pluggy", "iniconfig", "exceptiongroup", "xdist", "coverage", "vitest",
                     "site", "sitecustomize", "usercustomize", "__main__"})
_INSTALLED = re.compile(
    r"(\.dist-info|\.egg-info|\.egg-link|\.data)$|^(node_modules|site-packages|__pycache__|\.venv)$")
_COMPILED = (".pyc", ".pyo", ".so", ".pyd", ".pth", ".egg", ".whl", ".zip", ".node", ".wasm")


def objections(written: Written, known: Known) -> Iterator[str]:
    path = PurePosixPath(written.path)
    if written.before is None:
        if any(_INSTALLED.search(part) for part in path.parts) or path.suffix in _COMPILED:
            yield f"{written.path} is no source"
        elif name := shadowed(written.path, known):
            yield f"{written.path} stands where the module {name} is looked for"
    if not written.test:
        yield from _imports(written, known)


def shadowed(path: str, known: Known) -> str:
    """The module that a new Python file or folder would be taken for, when its folder comes to be searched; else "".

    A file in a package (a folder with __init__.py) is only found below that package.
    """
    parts = PurePosixPath(path).parts
    if not path.endswith(".py"):
        return ""
    for depth in range(len(parts)):
        folder = "/".join(parts[:depth])
        if depth and f"{folder}/__init__.py" in known.paths:
            continue
        name = parts[depth].removesuffix(".py")
        own = any(each.startswith(f"{folder}/{parts[depth]}/".lstrip("/")) for each in known.paths)
        if not own and (name in RUNNERS or name in sys.stdlib_module_names or name in known.packages):
            return name
    return ""


def _imports(written: Written, known: Known) -> Iterator[str]:
    stems = {part.removesuffix(".py") for path in known.paths for part in path.split("/")}
    for node in written.nodes():
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else (
            [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else [])
        for name in (each.partition(".")[0] for each in names):
            if name not in sys.stdlib_module_names | known.packages | stems | {PurePosixPath(written.path).stem, ""}:
                yield written.at(node.lineno if isinstance(node, ast.stmt) else 0, f"imports {name}, no dependency")
    for line, text in written.lines() if written.script else ():
        for name in _FROM.findall(text):
            if not _is_known(name, known.scripts):
                yield written.at(line, f"imports {name}, no dependency")


_FROM = re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\(\s*)["']([^"'.][^"']*)["']""")


def _is_known(name: str, packages: str) -> bool:
    package = "/".join(name.split("/")[:2 if name.startswith("@") else 1])
    return name.startswith(("@/", "~/", "#", "/", "node:")) or json.dumps(package) in packages
