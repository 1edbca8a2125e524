"""The settings of a Django project: the list of its middleware, made longer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from aiimprove.recipes import Elsewhere, Unsure
from aiimprove.recipes.sources import Source, insert_after, literal, reparsed

_PROJECT = "DJANGO_SETTINGS_MODULE"
_TOUCHES = re.compile(r"^MIDDLEWARE\b", re.MULTILINE)


@dataclass(frozen=True)
class Middleware:
    """`MIDDLEWARE = [...]` at the top of a file of settings, each entry a plain string."""

    source: Source
    statement: cst.SimpleStatementLine
    elements: tuple[cst.BaseElement, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(literal(each.value) or "" for each in self.elements)

    def longer(self, first: Sequence[str], last: Sequence[str], below: Sequence[str] = (), behind: int = 0) -> Source:
        """The file with entries before the others (or `behind` so many of them) and after them, and with lines below
        the list. Raises Unsure when the list is written in a way that an entry cannot be put into for sure."""
        source = insert_after(self.source, self.source.lines(self.statement).end.line, below)
        opening = self.source.lines(self.statement).start.line
        if self._line(0) == opening:
            return self._anew(source, first, last, behind)
        if behind and self.elements[behind:] and self._line(behind - 1) == self._line(behind):
            raise Unsure(f"MIDDLEWARE in {source.path} has several names on one line")
        source = self._closed(insert_after(source, self._line(-1), [self._entry(name) for name in last]))
        before = self._line(behind - 1) if behind else self._line(0) - 1
        return insert_after(source, before, [self._entry(name) for name in first])

    def _line(self, index: int) -> int:
        return self.source.lines(self.elements[index].value).start.line

    def _entry(self, name: str) -> str:
        at = self.source.lines(self.elements[0].value).start
        quote = self.source.code(self.elements[0].value)[0]
        indentation = " " * at.column if at.line != self.source.lines(self.statement).start.line else "    "
        return f"{indentation}{quote}{name}{quote},"

    def _closed(self, source: Source) -> Source:
        """With a comma after what was the last entry."""
        if isinstance(self.elements[-1].comma, cst.Comma):
            return source
        at, lines = self.source.lines(self.elements[-1].value).end, source.text.splitlines(keepends=True)
        lines[at.line - 1] = lines[at.line - 1][:at.column] + "," + lines[at.line - 1][at.column:]
        return reparsed(source, "".join(lines))

    def _anew(self, source: Source, first: Sequence[str], last: Sequence[str], behind: int) -> Source:
        """A list that begins on the line of its bracket, written one entry a line."""
        where, lines = self.source.lines(self.statement), source.text.splitlines(keepends=True)
        old = lines[where.start.line - 1:where.end.line]
        if any("#" in line for line in old):
            raise Unsure(f"comments stand between the middleware in {source.path}")
        ending = "\r\n" if "\r\n" in source.text else "\n"
        names = (*self.names[:behind], *first, *self.names[behind:], *last)
        rows = ["MIDDLEWARE = [", *(self._entry(name) for name in names), "]"]
        lines[where.start.line - 1:where.end.line] = [row + ending for row in rows]
        return reparsed(source, "".join(lines))


def is_project(sources: Sequence[Source]) -> bool:
    """Whether these are the files of a Django project."""
    return any(_PROJECT in source.text for source in sources)


def middleware(sources: Sequence[Source]) -> Middleware:
    """The one list of middleware of a project. Raises Elsewhere when this is no Django project, Unsure when there is no
    such list, when there are several, or when something else changes it."""
    if not is_project(sources):
        raise Elsewhere("this is no Django project")
    said = [source for source in sources if _TOUCHES.search(source.text)]
    found = [each for source in said for row in source.module.body if (each := _list(source, row))]
    touched = sum(len(_TOUCHES.findall(source.text)) for source in said)
    if len(found) != 1 or touched != 1:
        raise Unsure(f"MIDDLEWARE is set or changed in {touched} places" if touched != 1
                     else f"MIDDLEWARE in {said[0].path} is no plain list of names")
    return found[0]


def _list(source: Source, row: cst.CSTNode) -> Middleware | None:
    small = row.body[0] if isinstance(row, cst.SimpleStatementLine) and len(row.body) == 1 else None
    if not isinstance(small, cst.Assign) or source.code(small.targets[0].target) != "MIDDLEWARE":
        return None
    assert isinstance(row, cst.SimpleStatementLine)
    elements = tuple(small.value.elements) if isinstance(small.value, cst.List) else ()
    plain = elements and all(isinstance(each, cst.Element) and literal(each.value) for each in elements)
    return Middleware(source, row, elements) if plain else None


def refuse_said(sources: Sequence[Source], names: Sequence[str]) -> None:
    """Raises Unsure when the project says one of these settings already."""
    for source in sources:
        for name in names:
            if re.search(rf"\b{name}\w*\s*[=\"']", source.text):
                raise Unsure(f"{source.path} sets {name} already")
