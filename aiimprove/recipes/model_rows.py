"""Words that make rows of a model in a test, from what its class says about its columns."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from aiimprove.recipes import Unsure
from aiimprove.recipes.relations import DJANGO, Model, Relation, assigned

_VALUES = {
    "CharField": 'f"t{n}"', "TextField": 'f"t{n}"', "SlugField": 'f"t{n}"', "String": 'f"t{n}"', "Text": 'f"t{n}"',
    "Unicode": 'f"t{n}"', "str": 'f"t{n}"', "EmailField": 'f"t{n}@example.org"',
    "URLField": 'f"http://example.org/{n}"', "IntegerField": "n", "PositiveIntegerField": "n", "BigIntegerField": "n",
    "SmallIntegerField": "n", "PositiveSmallIntegerField": "n", "Integer": "n", "BigInteger": "n", "int": "n",
    "SmallInteger": "n", "FloatField": "n", "DecimalField": "n", "Float": "n", "Numeric": "n", "float": "n",
    "BooleanField": "True", "Boolean": "True", "bool": "True", "DateField": '"2026-03-02"',
    "DateTimeField": '"2026-03-02T10:00:00Z"'}
_GIVEN = frozenset({"default", "auto_now", "auto_now_add", "server_default", "default_factory", "insert_default"})
_COLUMNS = ("Column", "mapped_column")
_MOST_DEEP = 4


def made(model: Model, known: Sequence[Relation], given: str = "", depth: int = 0) -> str:
    """The call that makes one row in a loop over n, with the rows that it must have; `given` are more of its words.
    Raises Unsure for a column whose values cannot be told."""
    if depth > _MOST_DEEP:
        raise Unsure(f"rows of {model.name} need rows without end")
    words = [f"{name}={value}" for name, value in _words(model, known, depth)
             if not given.startswith(f"{name}=")] + ([given] if given else [])
    making = f"{model.name}.objects.create" if model.kind == DJANGO else model.name
    return f"{making}({', '.join(words)})"


def _words(model: Model, known: Sequence[Relation], depth: int) -> Iterator[tuple[str, str]]:
    annotations = {row.target.id: row.annotation for row in model.node.body if isinstance(row, ast.AnnAssign)
                   and isinstance(row.target, ast.Name)}
    every = dict(assigned(model.node))
    for name in [*every, *(each for each in annotations if each not in every)]:
        value = every.get(name)
        call = value if isinstance(value, ast.Call) else ast.Call(ast.Name("mapped_column"), [], [])
        kind = ast.unparse(call.func).rpartition(".")[2]
        if name.startswith("__") or (value is not None and not isinstance(value, ast.Call)) or _optional(
                model, call, annotations.get(name)):
            continue
        if model.kind == DJANGO:
            yield from _djangos(model, name, kind, known, depth)
        elif kind in _COLUMNS:
            yield from _columns(model, name, call, annotations.get(name), known, depth)


def _optional(model: Model, call: ast.Call, annotation: ast.expr | None) -> bool:
    said = {each.arg: ast.unparse(each.value) for each in call.keywords if each.arg}
    if _GIVEN & set(said) or said.get("null") == "True" or said.get("primary_key") == "True":
        return True
    words = ast.unparse(annotation) if annotation else ""
    explicit = said.get("nullable")
    free = model.kind != DJANGO and not words and explicit != "False"
    return free or explicit == "True" or "None" in words or "Optional" in words


def _djangos(model: Model, name: str, kind: str, known: Sequence[Relation], depth: int) -> Iterator[tuple[str, str]]:
    if kind in ("ForeignKey", "OneToOneField"):
        target = next((each.target for each in known if each.owner == model and each.name == name), None)
        if target is None:
            raise Unsure(f"it is not plain what {name} of {model.name} is")
        yield name, made(target, known, depth=depth + 1)
    elif kind in _VALUES:
        yield name, _VALUES[kind]
    elif kind.endswith("Field") and kind != "ManyToManyField":
        raise Unsure(f"it is not plain what {name} of {model.name} is")


def _columns(model: Model, name: str, call: ast.Call, annotation: ast.expr | None, known: Sequence[Relation],
             depth: int) -> Iterator[tuple[str, str]]:
    said = [ast.unparse(each.func if isinstance(each, ast.Call) else each).rpartition(".")[2] for each in call.args]
    if "ForeignKey" in said:
        other = [each for each in known if each.owner == model and each.plain and keyed(call) == each.target.table]
        if not other:
            raise Unsure(f"it is not plain which row {name} of {model.name} names")
        yield other[0].name, made(other[0].target, known, depth=depth + 1)
        return
    inner = annotation.slice if isinstance(annotation, ast.Subscript) else None
    kinds = [*said, ast.unparse(inner) if inner is not None else ""]
    value = next((_VALUES[each] for each in kinds if each in _VALUES), "")
    if not value:
        raise Unsure(f"it is not plain what {name} of {model.name} is")
    yield name, value


def keyed(call: ast.Call) -> str:
    """The table that a column's foreign key names, in small letters."""
    for each in call.args:
        if isinstance(each, ast.Call) and each.args and isinstance(each.args[0], ast.Constant):
            return str(each.args[0].value).rpartition(".")[0].lower()
    return ""
