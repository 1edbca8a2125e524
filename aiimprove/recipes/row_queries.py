"""From the line that reads something of a row back to the query that the row came from."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from aiimprove.recipes import Unsure
from aiimprove.recipes.crashed import Function
from aiimprove.recipes.sources import Source

_SAME_ROWS = frozenset({"list", "tuple", "enumerate", "sorted", "reversed", "iter", "set"})
_RUNS = frozenset({"scalars", "execute"})
_NOT_ROWS = frozenset({"values", "values_list", "only", "defer", "raw", "iterator", "aggregate", "dates", "datetimes",
                       "yield_per", "from_statement", "with_only_columns", "union", "union_all", "intersection",
                       "difference", "except_", "intersect", "select_for_update", "with_entities", "add_columns",
                       "in_bulk", "select_from", "group_by"})
"""What a query gives or does so that it is not plainly a list of whole rows."""


@dataclass(frozen=True)
class Frame:
    """A line of the app that was under way."""

    source: Source
    function: Function
    line: int

    def here(self) -> list[ast.AST]:
        """The expressions that stand on the line."""
        return [node for node in ast.walk(self.function) if isinstance(node, ast.expr)
                and node.lineno <= self.line <= (node.end_lineno or 0)]


@dataclass(frozen=True)
class Root:
    """Where a query begins: `Model.objects`, `Model.query`, `session.query(Model)`, `select(Model)`. `model` is what
    the file calls the model, `steps` the names of what is done to the query afterwards."""

    source: Source
    node: ast.expr
    model: str
    function: Function
    steps: tuple[str, ...]


def frames_of(rows: Sequence[Sequence[object]], sources: Sequence[Source], folder: str) -> Iterator[Frame]:
    """The lines that were under way, the innermost first; those of a comprehension stand in their function."""
    for file, _, line in rows:
        path = str(PurePosixPath(folder) / str(file))
        source = next((each for each in sources if each.path == path), None)
        number = int(str(line))
        around = [node for node in ast.walk(ast.parse(source.text)) if isinstance(node, Function)
                  and node.lineno <= number <= (node.end_lineno or 0)] if source else []
        if source and around:
            yield Frame(source, min(around, key=lambda node: (node.end_lineno or 0) - node.lineno), number)


def query_of(name: str, frames: Sequence[Frame], models: Collection[str]) -> Root:
    """The query whose rows a variable of the innermost frame stands for, through the functions that it is handed to.
    Raises Unsure."""
    frame = frames[0]
    looped = [node.iter for node in ast.walk(frame.function) if isinstance(node, (ast.For, ast.comprehension))
              and isinstance(node.target, ast.Name) and node.target.id == name]
    if len(looped) == 1:
        return root_of(frame, looped[0], models)
    arguments = [each.arg for each in (*frame.function.args.posonlyargs, *frame.function.args.args)]
    outer = [each for each in frames[1:] if each.function.name != frame.function.name]
    if looped or name not in arguments or not outer:
        raise Unsure(f"it is not plain which rows {name} stands for in {frame.function.name}")
    given = {each for node in outer[0].here() if isinstance(node, ast.Call)
             for each in _given(node, frame.function.name, arguments.index(name), name)}
    if len(given) != 1:
        raise Unsure(f"it is not plain what is handed to {frame.function.name} as {name}")
    return query_of(given.pop(), frames[frames.index(outer[0]):], models)


def _given(call: ast.Call, function: str, position: int, name: str) -> Iterator[str]:
    """The variable that a call hands to a function in a place of its arguments; of a method, its own object."""
    if isinstance(call.func, ast.Attribute) and call.func.attr == function and name == "self":
        each: ast.expr | None = call.func.value
    elif isinstance(call.func, ast.Name) and call.func.id == function:
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        each = call.args[position] if position < len(call.args) else named.get(name)
    else:
        return
    if isinstance(each, ast.Name):
        yield each.id


def root_of(frame: Frame, node: ast.expr, models: Collection[str], steps: tuple[str, ...] = ()) -> Root:
    """Walks down a chain of calls to where the query begins. Raises Unsure."""
    if (model := _begins(node, models)):
        if wrong := sorted(_NOT_ROWS & set(steps)):
            raise Unsure(f"the query does not plainly give whole rows ({wrong[0]})")
        return Root(frame.source, node, model, frame.function, steps)
    if isinstance(node, ast.Name):
        return root_of(frame, assigned_once(frame.function, node.id), models, steps)
    if isinstance(node, (ast.Await, ast.Subscript, ast.Attribute)):
        return root_of(frame, node.value, models, steps)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _SAME_ROWS and node.args:
        return root_of(frame, node.args[0], models, steps)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        inner = node.args[0] if node.func.attr in _RUNS and node.args else node.func.value
        return root_of(frame, inner, models, (*steps, node.func.attr))
    raise Unsure("it is not plain where the query of the list is built")


def _begins(node: ast.expr, models: Collection[str]) -> str:
    """What the file calls the model whose query begins here, empty when none does."""
    if isinstance(node, ast.Attribute) and node.attr in ("objects", "query"):
        said = ast.unparse(node.value)
    elif isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords and ast.unparse(
            node.func).rpartition(".")[2] in ("query", "select"):
        said = ast.unparse(node.args[0])
    else:
        return ""
    return said if said.rpartition(".")[2] in models else ""


def assigned_once(function: Function, name: str) -> ast.expr:
    """The one value of a variable; others may only go on from it (`query = query.filter(...)`). Raises Unsure."""
    values = [node.value for node in ast.walk(function) if isinstance(node, ast.Assign)
              and any(isinstance(each, ast.Name) and each.id == name for each in node.targets)]
    first = [each for each in values if not _goes_on(each, name)]
    stored = sum(isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)
                 for node in ast.walk(function))
    if len(first) != 1 or stored != len(values):
        raise Unsure(f"the query is built in several places as {name}" if values else
                     f"{name} is not built in {function.name}")
    return first[0]


def _goes_on(value: ast.expr, name: str) -> bool:
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        if value.func.attr in _NOT_ROWS:
            return False
        value = value.func.value
    return isinstance(value, ast.Name) and value.id == name
