"""The relationships between the models of an app: SQLAlchemy's and Django's, as their classes say them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from aiimprove.recipes.sources import Source

DJANGO, SQLALCHEMY = "Django", "SQLAlchemy"
_KEYS = ("ForeignKey", "OneToOneField")
_EAGER_ALREADY = ("lazy", "primaryjoin", "viewonly")


@dataclass(frozen=True)
class Model:
    """A class whose objects are rows of a table (in small letters)."""

    source: Source
    node: ast.ClassDef
    kind: str
    table: str

    @property
    def name(self) -> str:
        return self.node.name


@dataclass(frozen=True)
class Relation:
    """What an object of `owner` reads as `name`: rows of `target`. `many` says that there may be several; a `plain` one
    says nothing about how it is loaded."""

    owner: Model
    name: str
    target: Model
    many: bool
    plain: bool = True


def models(sources: Sequence[Source]) -> list[Model]:
    return [Model(source, node, kind, table.lower()) for source in sources for node in ast.parse(source.text).body
            if isinstance(node, ast.ClassDef) for kind, table in _mapped(source, node)]


def _mapped(source: Source, node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    said = dict(assigned(node))
    table = said.get("__tablename__")
    bases = [ast.unparse(base) for base in node.bases]
    if isinstance(table, ast.Constant) and isinstance(table.value, str):
        yield SQLALCHEMY, table.value
    elif "db.Model" in bases:
        yield SQLALCHEMY, re.sub(r"(?<!^)(?=[A-Z])", "_", node.name)
    elif "models.Model" in bases:
        meta = next((row for row in node.body if isinstance(row, ast.ClassDef) and row.name == "Meta"), None)
        named = dict(assigned(meta)).get("db_table") if meta else None
        folder = PurePosixPath(source.path).parent
        app = (folder.parent if folder.name == "models" else folder).name
        yield DJANGO, named.value if isinstance(named, ast.Constant) and isinstance(named.value, str) else \
            f"{app}_{node.name}"


def assigned(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    """The names that a class gives in its body, with their values."""
    for row in node.body:
        if isinstance(row, ast.Assign) and isinstance(row.targets[0], ast.Name):
            yield row.targets[0].id, row.value
        elif isinstance(row, ast.AnnAssign) and isinstance(row.target, ast.Name) and row.value is not None:
            yield row.target.id, row.value


def relations(known: Sequence[Model]) -> list[Relation]:
    """Every relationship of the models, with those that Django or `backref` gives to the other side."""
    return [found for model in known for name, value in assigned(model.node) if isinstance(value, ast.Call)
            for found in (_djangos(model, name, value, known) if model.kind == DJANGO
                          else _sqlalchemys(model, name, value, known))]


def _djangos(model: Model, name: str, value: ast.Call, known: Sequence[Model]) -> Iterator[Relation]:
    kind = ast.unparse(value.func).rpartition(".")[2]
    target = _named(model, value.args[0] if value.args else keyword(value, "to"), known)
    if target is None or kind not in (*_KEYS, "ManyToManyField"):
        return
    yield Relation(model, name, target, kind not in _KEYS)
    back = keyword(value, "related_name")
    if kind != "OneToOneField" and not (isinstance(back, ast.Constant) and "+" in str(back.value)):
        called = str(back.value) if isinstance(back, ast.Constant) else f"{model.name.lower()}_set"
        yield Relation(target, called, model, True)


def _sqlalchemys(model: Model, name: str, value: ast.Call, known: Sequence[Model]) -> Iterator[Relation]:
    if ast.unparse(value.func).rpartition(".")[2] != "relationship":
        return
    annotation = next((row.annotation for row in model.node.body if isinstance(row, ast.AnnAssign)
                       and isinstance(row.target, ast.Name) and row.target.id == name), None)
    said = value.args[0] if value.args else keyword(value, "argument") or annotation
    target, plain = _named(model, said, known), not any(keyword(value, word) for word in _EAGER_ALREADY)
    if target is not None:
        yield Relation(model, name, target, True, plain)
        back = keyword(value, "backref")
        if isinstance(back, ast.Constant):
            yield Relation(target, str(back.value), model, True, plain)


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def _named(model: Model, said: ast.expr | None, known: Sequence[Model]) -> Model | None:
    """The one model that an expression or an annotation names, perhaps as text."""
    words = re.findall(r"\w+", ast.unparse(said)) if said is not None else []
    found = [each for each in known if each.kind == model.kind
             and (each.name in words or (each.node is model.node and "self" in words))]
    return found[0] if len(found) == 1 else None
