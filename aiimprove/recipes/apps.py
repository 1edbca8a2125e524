"""Where the app of a service is made, and what is put around it there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import libcst as cst

from aiimprove.recipes import Elsewhere, Unsure
from aiimprove.recipes.imports import bound, called
from aiimprove.recipes.sources import Source, dotted, insert_after
from aiimprove.settings import Service

Kinds = tuple[tuple[str, str], ...]
"""Modules with the class in them that makes an app."""
ASGI: Kinds = (("fastapi", "FastAPI"), ("fastapi.applications", "FastAPI"), ("starlette.applications", "Starlette"))
FLASK: Kinds = (("flask", "Flask"), ("flask.app", "Flask"))
_MARKS = {"fastapi": ASGI, "starlette": ASGI, "flask": FLASK, "django": ()}
_IMPORT = re.compile(r"^[ \t]*(?:from|import) (fastapi|starlette|flask|django)\b", re.MULTILINE)
_ENTRY = re.compile(r"^([A-Za-z_][\w.]*):([A-Za-z_]\w*)(\(\))?$")


@dataclass(frozen=True)
class Made:
    """`name = FastAPI(...)` or another of its `kinds`, and the last statement beside it that adds a middleware (or
    itself)."""

    source: Source
    name: str
    statement: cst.BaseStatement
    last: cst.BaseStatement
    top_level: cst.BaseStatement
    """The statement at the top of the file that holds it: itself, or its function."""
    kinds: Kinds = ASGI

    @property
    def indentation(self) -> str:
        line = self.source.text.splitlines()[self.source.lines(self.statement).start.line - 1]
        return line[:len(line) - len(line.lstrip())]


def made_in(sources: Sequence[Source], service: Service, kinds: Kinds = ASGI) -> Made:
    """The one place where the service's app is made. Raises Unsure when there is none or several, Elsewhere when the
    service is written with another framework."""
    found = [made for source in sources for made in _all_made(source, kinds)]
    used = {match[1] for source in sources for match in _IMPORT.finditer(source.text)}
    if not found and (kinds != ASGI or used) and all(_MARKS[name] != kinds for name in used):
        raise Elsewhere("the app is written with another framework")
    if len(found) > 1:
        stem = _entry_stem(service)
        found = [made for made in found if made.source.stem == stem] or found
    if len(found) != 1:
        raise Unsure(f"the app is made in {len(found)} places" if found else "no place is known where the app is made")
    return found[0]


def refuse(sources: Sequence[Source], words: Sequence[str], reason: str) -> None:
    """Raises Unsure when the code says any of these words."""
    for source in sources:
        for word in words:
            if word.lower() in source.text.lower():
                raise Unsure(f"{reason} ({word} in {source.path})")


def with_middleware(made: Made, words: str, imported: Source, above: Sequence[str] = ()) -> Source:
    """The file with `app.add_middleware(words)` after the others, and lines above the statement that makes the app.

    `imported` is the file with the imports that both need; it has the same statements otherwise.
    """
    again = _again(made, imported)
    return _with_lines(again, again.last, [f"{made.name}.add_middleware({words})"], imported, above)


def after_made(made: Made, lines: Sequence[str], imported: Source, above: Sequence[str] = ()) -> Source:
    """The file with lines right after the statement that makes the app, and others above, as `with_middleware` does."""
    again = _again(made, imported)
    return _with_lines(again, again.statement, lines, imported, above)


def _with_lines(made: Made, after: cst.BaseStatement, lines: Sequence[str], source: Source,
                above: Sequence[str]) -> Source:
    changed = insert_after(source, source.lines(after).end.line, [made.indentation + line for line in lines])
    if not above:
        return changed
    start = _first_line(source, made.top_level)
    before = source.text.splitlines()[:start - 1]
    blank = 2 - next((index for index, text in enumerate(reversed(before)) if text.strip()), 2)
    return insert_after(changed, start - 1, [*[""] * max(0, blank), *above, "", ""])


def _first_line(source: Source, node: cst.CSTNode) -> int:
    """Where a statement begins with its decorators and the comments right above it."""
    lines = source.text.splitlines()
    decorators = node.decorators if isinstance(node, (cst.FunctionDef, cst.ClassDef)) else ()
    start = min(source.lines(each).start.line for each in (node, *decorators))
    while start > 1 and lines[start - 2].lstrip().startswith("#"):
        start -= 1
    return start


def _again(made: Made, source: Source) -> Made:
    """The same place in a later text of its file."""
    return next(each for each in _all_made(source, made.kinds) if each.name == made.name)


def _all_made(source: Source, kinds: Kinds) -> list[Made]:
    makers = {name for module, kind in kinds if (name := called(source, module, kind))}
    if not makers:
        return []
    finder = _Finder(source, makers, kinds)
    source.module.visit(finder)
    return finder.found


@dataclass
class _Finder(cst.CSTVisitor):
    source: Source
    makers: set[str]
    kinds: Kinds
    found: list[Made] = field(default_factory=list)

    def visit_Module(self, node: cst.Module) -> None:
        self._look(list(node.body), None)

    def _look(self, body: Sequence[cst.BaseStatement], top: cst.BaseStatement | None) -> None:
        for statement in body:
            name = _assigned(statement, self.makers)
            if name:
                adding = [each for each in body if _adds_middleware(each, name)]
                last = max((statement, *adding), key=lambda each: self.source.lines(each).end.line)
                self.found.append(Made(self.source, name, statement, last, top or statement, self.kinds))
            for block in _blocks(statement):
                self._look([each for each in block.body if isinstance(each, cst.BaseStatement)], top or statement)


def _blocks(statement: cst.BaseStatement) -> list[cst.BaseSuite]:
    body = getattr(statement, "body", None)
    return [body] if isinstance(body, cst.IndentedBlock) else []


def _assigned(statement: cst.BaseStatement, makers: set[str]) -> str:
    """The name that this statement gives to a new app, empty when it makes none."""
    for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
        target = small.targets[0].target if isinstance(small, cst.Assign) else small.target if isinstance(
            small, cst.AnnAssign) else None
        value = small.value if isinstance(small, (cst.Assign, cst.AnnAssign)) else None
        if isinstance(value, cst.Call) and dotted(value.func) in makers:
            return dotted(target)
    return ""


def _adds_middleware(statement: cst.BaseStatement, name: str) -> bool:
    small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
    return isinstance(small, cst.Expr) and isinstance(small.value, cst.Call) and dotted(
        small.value.func) == f"{name}.add_middleware"


def entry(service: Service) -> tuple[str, str]:
    """Module and name of the app that the start command names as `module:name`; empty words when it does not."""
    return next(((match[1], match[2]) for word in service.start if (match := _ENTRY.match(word))), ("", ""))


def _entry_stem(service: Service) -> str:
    if module := entry(service)[0]:
        return module.rpartition(".")[2]
    return next((word.rpartition("/")[2].removesuffix(".py") for word in service.start if word.endswith(".py")), "")


def free_name(source: Source, wanted: str) -> str:
    """A name that the file has not given to anything else. Raises Unsure when it has."""
    if wanted in bound(source):
        raise Unsure(f"{source.path} has something called {wanted} already")
    return wanted
