"""A file as a candidate wrote it: what it was, what it is, and which of its lines are new."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from aiimprove.finding import Finding

PYTHON = (".py", ".pyi", ".pyw")
SCRIPT = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".vue", ".svelte")


@dataclass(frozen=True)
class Known:
    """What the rules know besides the files: the finding, every path of the live commit, the packages that live can
    import by their top name, and the words of its package.json files."""

    finding: Finding | None = None
    paths: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    scripts: str = ""


@dataclass(frozen=True)
class Written:
    """One file that differs from live's. `before` is None for a new file; `test` says that it is one of the tests."""

    path: str
    before: str | None
    after: str
    test: bool = False

    @property
    def python(self) -> bool:
        return self.path.endswith(PYTHON)

    @property
    def script(self) -> bool:
        return self.path.endswith(SCRIPT)

    @cached_property
    def added(self) -> frozenset[int]:
        """The numbers of the new lines, from 1."""
        old, new = (self.before or "").splitlines(), self.after.splitlines()
        blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        return frozenset(line + 1 for kind, _, _, first, last in blocks if kind != "equal"
                         for line in range(first, last))

    @cached_property
    def tree(self) -> ast.Module | None:
        """The module; None when it is no Python, or none that can be read."""
        return _parsed(self.after) if self.python else None

    @cached_property
    def tree_before(self) -> ast.Module | None:
        return _parsed(self.before) if self.python and self.before is not None else None

    def nodes(self) -> Iterator[ast.AST]:
        """Every node of the module that begins on a new line."""
        for node in ast.walk(self.tree) if self.tree else ():
            if getattr(node, "lineno", 0) in self.added:
                yield node

    def lines(self) -> Iterator[tuple[int, str]]:
        rows = self.after.splitlines()
        yield from ((number, rows[number - 1]) for number in sorted(self.added))

    def comments(self) -> Iterator[tuple[int, str]]:
        """Comments on new lines. Whatever cannot be read as Python is refused elsewhere."""
        try:
            for token in tokenize.generate_tokens(io.StringIO(self.after).readline):
                if token.type == tokenize.COMMENT and token.start[0] in self.added:
                    yield token.start[0], token.string
        except (tokenize.TokenError, SyntaxError):
            return

    def at(self, line: int, said: str) -> str:
        return f"{self.path}:{line} {said}"


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
