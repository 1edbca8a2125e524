"""What visitors send is bound to a statement as a value, and no longer written into its text."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import libcst as cst

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Patch, Unsure, written
from aiimprove.recipes.attacks import attack_test
from aiimprove.recipes.clients import NO_TEST
from aiimprove.recipes.crashed import Function, assigned, bindings
from aiimprove.recipes.sources import Source, python_sources, reparsed, service_of
from aiimprove.recipes.sql_calls import (
    Sending,
    bind_in_text,
    blank,
    bound_already,
    is_text,
    sends,
    with_names,
    with_values,
)
from aiimprove.recipes.sql_python import Written, python_value, steady
from aiimprove.recipes.sql_text import statement
from aiimprove.recipes.sql_values import values
from aiimprove.settings import Config

_DEEPEST = 2


class BoundParameters:
    """Values in an f-string, `%`, `format` or `+`, inside quotes or beside a comparison, in the way of the driver: `?`
    for sqlite3, `%s` for psycopg and Django, `:name` for SQLAlchemy's text(). Refuses names of tables and columns,
    lists, numbers of rows, and what is put together in several places.
    """

    name = "bound_parameters"
    causes = ("sql-injection",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service, known = service_of(finding, config), finding.details
    sources = python_sources(tree, service)
    place = _place(finding, sources, service.folder)
    sending = _sending(place)
    changed = _bound(place, sources, sending)
    test = attack_test(tree, service, finding)
    return Patch(f"{known['parameter']} of {known['method']} {known['route']} is bound to its statement as a value."
                 f"{'' if test else NO_TEST}", {changed.path: changed.text} | test)


@dataclass(frozen=True)
class Place:
    """A function that sends a statement, and the line on which it does."""

    source: Source
    function: Function
    line: int
    parameter: str

    def calls(self) -> Iterator[cst.Call]:
        first, last = self.function.lineno, self.function.end_lineno or 0
        found: list[cst.Call] = []

        class Calls(cst.CSTVisitor):
            def visit_Call(self, node: cst.Call) -> None:
                found.append(node)

        self.source.module.visit(Calls())
        yield from (each for each in found if first <= self.source.lines(each).start.line <= last)

    def holds(self, call: cst.Call) -> bool:
        where = self.source.lines(call)
        return where.start.line <= self.line <= where.end.line


def _place(finding: Finding, sources: Sequence[Source], folder: str) -> Place:
    details = finding.details
    if not {"file", "function", "line"} <= set(details):
        raise Unsure("it is not known which line sends the statement")
    path = str(PurePosixPath(folder) / str(details["file"]))
    source = next((each for each in sources if each.path == path), None)
    around = [each for each in ast.walk(ast.parse(source.text)) if isinstance(each, Function)
              and each.lineno <= details["line"] <= (each.end_lineno or 0)] if source else []
    if source is None or not around:
        raise Unsure(f"line {details['line']} of {path} is not in a function of the app")
    return Place(source, max(around, key=lambda each: each.lineno), int(details["line"]), str(details["parameter"]))


def _sending(place: Place) -> Sending:
    """The one statement of that line that values are written into; of the whole function, when the line has none."""
    every = [(call, sending) for call in place.calls() if (sending := _of_call(place, call))]
    found = [sending for call, sending in every if place.holds(call)] or [sending for _, sending in every]
    distinct = {id(each.statement.node): each for each in sorted(found, key=lambda each: each.call is not None)}
    if len(distinct) != 1:
        raise Unsure(f"{len(distinct) or 'no'} statements of {place.function.name} are written with values in them")
    return next(iter(distinct.values()))


def _of_call(place: Place, call: cst.Call) -> Sending | None:
    """What a call sends, when values are written into it."""
    if is_text(place.source, call):
        return _of_text(place, call, None)
    return _resolved(place, call.args[0].value, call, 0) if sends(call) else None


def _resolved(place: Place, node: cst.BaseExpression, call: cst.Call, depth: int) -> Sending | None:
    if isinstance(node, cst.Call) and is_text(place.source, node):
        return _of_text(place, node, call if depth == 0 else None)
    if isinstance(node, cst.Name):
        value = _assigned(place, node.value) if depth < _DEEPEST else None
        return _resolved(place, value, call, depth + 1) if value is not None else None
    found = statement(node)
    return Sending(found, call, later=depth > 0) if found and found.dynamic else None


def _of_text(place: Place, text: cst.Call, call: cst.Call | None) -> Sending | None:
    given = text.args[0].value if text.args else None
    node = _assigned(place, given.value) if isinstance(given, cst.Name) else given
    found = statement(node) if node is not None else None
    return Sending(found, call, text, node is not given) if found and found.dynamic else None


def _assigned(place: Place, name: str) -> cst.BaseExpression | None:
    """The one value of a variable of the function. Raises Unsure when it is put together in several places."""
    given = assigned(place.function, name)
    if not given:
        return None
    if len(given) != 1 or bindings(place.function, name) != 1:
        raise Unsure(f"the statement {name} is put together in several places")
    used = [each for each in ast.walk(place.function) if isinstance(each, ast.Name) and each.id == name
            and isinstance(each.ctx, ast.Load)]
    if len(used) != 1:
        raise Unsure(f"the statement {name} is used in several places")
    wanted, found = given[0].lineno, list[cst.BaseExpression]()

    class Assigned(cst.CSTVisitor):
        def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
            small = node.body[0]
            if (isinstance(small, (cst.Assign, cst.AnnAssign)) and small.value is not None
                    and place.source.lines(node).start.line == wanted):
                found.append(small.value)

    place.source.module.visit(Assigned())
    return found[0] if len(found) == 1 else None


def _bound(place: Place, sources: Sequence[Source], sending: Sending) -> Source:
    """The file with the values of the statement bound."""
    mark = blank(place.source, sources, sending)
    fresh = sending.call is None or len(sending.call.args) == 1
    inserted = [each.read(mark == "%s" and not fresh) for each in values(sending.statement)]
    new = _distinct(python_value(place.source, place.function, place.parameter, each) for each in inserted)
    for each in inserted if sending.later else ():
        steady(place.source, place.function, each)
    places = bound_already(sending.statement.leaves, mark)
    bind_in_text(sending, mark, fresh, [each.name for each in new])
    replaced = {id(sending.statement.node): sending.statement.rebuilt()}
    module = place.source.module.visit(_Edit(sending, replaced, new, (places, mark, _is_django(place, sending))))
    assert isinstance(module, cst.Module)
    return reparsed(place.source, module.code)


def _distinct(every: Iterable[Written]) -> list[Written]:
    """Each value under a name of its own; the same value twice under one."""
    named: dict[str, str] = {}
    found = []
    for each in every:
        code, name, number = cst.Module([]).code_for_node(each.value), each.name, 1
        while named.setdefault(name, code) != code:
            number += 1
            name = f"{each.name}_{number}"
        found.append(Written(name, each.value))
    return found


def _is_django(place: Place, sending: Sending) -> bool:
    return "django" in place.source.text


@dataclass
class _Edit(cst.CSTTransformer):
    """Puts the statement and what it binds into the file."""

    sending: Sending
    replaced: Mapping[int, cst.BaseExpression]
    new: Sequence[Written]
    style: tuple[Sequence[bool], str, bool]

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:  # type: ignore[override]
        if id(original_node) in self.replaced:
            return self.replaced[id(original_node)]
        named = list({each.name: (each.name, each.value) for each in self.new}.values())
        text, call = self.sending.text, self.sending.call
        if original_node is text and call is None and isinstance(updated_node, cst.Call):
            keywords = [cst.Arg(value, cst.Name(name), equal=cst.AssignEqual(
                cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))) for name, value in named]
            return cst.Call(cst.Attribute(updated_node, cst.Name("bindparams")), keywords)
        if original_node is call and isinstance(updated_node, cst.Call):
            places, mark, django = self.style
            return with_names(updated_node, named) if text is not None else with_values(
                updated_node, [each.value for each in self.new], places, mark, django)
        return super().on_leave(original_node, updated_node)  # type: ignore[return-value]
