"""One more test in a Django project, in the way of those that are there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aiimprove.recipes import Unsure
from aiimprove.settings import Service

_ASIDE = {"node_modules", "venv", "env", "site-packages"}
_IMPORTS = ("from django.test import TestCase",)


def new_case(tree: Path, service: Service, name: str, body: Sequence[str], imports: Sequence[str] = _IMPORTS,
             above: Sequence[str] = ()) -> dict[str, str]:
    """A file with one TestCase and one test of this name, by its path in the tree, with lines of its own `above` the
    class; empty when the project has no tests that Django's runner and pytest both find. Raises Unsure when there is
    such a file already."""
    folder = _folder(tree / service.folder)
    if folder is None:
        return {}
    path = folder / f"test_{name}.py"
    if path.exists():
        raise Unsure(f"there is a test {path.relative_to(tree)} already")
    kind = "".join(word.capitalize() for word in name.split("_"))
    lines = [*imports, "", "", *above, f"class {kind}Tests(TestCase):", f"    def test_{name}(self):",
             *(f"        {line}" for line in body)]
    return {str(path.relative_to(tree)): "\n".join(lines) + "\n"}


def _folder(root: Path) -> Path | None:
    """The package in which tests with Django's TestCase stand."""
    files = [path for path in sorted(root.rglob("test*.py")) if not _ASIDE & set(path.relative_to(root).parts)
             and (path.parent / "__init__.py").exists() and "django.test" in path.read_text("utf-8", "replace")]
    return files[0].parent if files else None
