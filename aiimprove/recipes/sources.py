"""The Python files of a service, read once and parsed when needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from aiimprove.finding import Finding
from aiimprove.recipes import Unsure
from aiimprove.settings import Config, Service

_NOT_THE_APP = {"tests", "test", "migrations", "alembic", "node_modules", "venv", "env", "site-packages", "__pycache__",
                "docs", "examples", "scripts", "build", "dist"}
MOST_BYTES = 400_000


@dataclass(frozen=True)
class Source:
    """One file: `path` is its path in the tree."""

    path: str
    text: str

    @cached_property
    def wrapper(self) -> MetadataWrapper:
        return MetadataWrapper(cst.parse_module(self.text), unsafe_skip_copy=True)

    @property
    def module(self) -> cst.Module:
        return self.wrapper.module

    def lines(self, node: cst.CSTNode) -> CodeRange:
        """Where a node of this file stands: lines from 1, columns from 0."""
        return self.wrapper.resolve(PositionProvider)[node]

    @property
    def stem(self) -> str:
        """The last word of the module's name: its folder's, for an __init__.py."""
        path = Path(self.path)
        return path.parent.name if path.stem == "__init__" else path.stem

    def code(self, node: cst.CSTNode) -> str:
        return self.module.code_for_node(node)


def service_of(finding: Finding, config: Config) -> Service:
    name = str(finding.details.get("service") or finding.probe.service)
    if name not in config.services:
        raise Unsure(f"the config knows no service {name!r}")
    return config.services[name]


def python_sources(tree: Path, service: Service) -> list[Source]:
    """The app's own Python files, without its tests, in a stable order. Raises Unsure when there are none."""
    root = tree / service.folder
    found = [source for path in _files(root) if (source := _read(path, tree))]
    if not found:
        raise Unsure(f"there is no Python file in {service.folder}")
    return found


def _files(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        hidden = any(part in _NOT_THE_APP or part.startswith(".") for part in parts[:-1])
        is_test = path.name.startswith("test_") or path.name.endswith("_test.py") or path.name == "conftest.py"
        if not hidden and not is_test and not path.is_symlink() and path.stat().st_size < MOST_BYTES:
            yield path


def _read(path: Path, tree: Path) -> Source | None:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            source = Source(str(path.relative_to(tree)), file.read())
        assert source.module
    except (UnicodeDecodeError, cst.ParserSyntaxError):
        return None
    return source


def reparsed(source: Source, text: str) -> Source:
    """The same file with another text. Raises Unsure when that is no Python any more."""
    try:
        cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise Unsure(f"the edit of {source.path} would not be valid Python") from error
    return Source(source.path, text)


def insert_after(source: Source, line: int, added: Sequence[str]) -> Source:
    """The file with lines added after line number `line` (0: at the top), in its own line endings."""
    ending = "\r\n" if "\r\n" in source.text else "\n"
    lines = source.text.splitlines(keepends=True)
    if line and not lines[line - 1].endswith(("\n", "\r")):
        lines[line - 1] += ending
    lines[line:line] = [text + ending for text in added]
    return reparsed(source, "".join(lines))


def dotted(node: cst.CSTNode | None) -> str:
    """`a.b.c` of names and attributes, empty for anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr.value}" if head else ""
    return ""


def literal(node: cst.CSTNode | None) -> str | None:
    """The value of a plain string, None for anything else."""
    if isinstance(node, (cst.SimpleString, cst.ConcatenatedString)):
        value = node.evaluated_value
        return value if isinstance(value, str) else None
    return None


def argument(call: cst.Call, name: str, position: int = -1) -> cst.BaseExpression | None:
    """An argument of a call, by its name or its place."""
    for index, each in enumerate(call.args):
        if each.keyword is not None and each.keyword.value == name:
            return each.value
        if each.keyword is None and index == position and not each.star:
            return each.value
    return None
