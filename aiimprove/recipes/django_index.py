"""An index of a Django model: named in the model, and made by the next migration of its app."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Elsewhere, Patch, Unsure, written
from aiimprove.recipes.clients import NO_TEST
from aiimprove.recipes.django_settings import is_project
from aiimprove.recipes.django_tests import new_case
from aiimprove.recipes.sources import Source, insert_after, python_sources, reparsed, service_of
from aiimprove.settings import Config

MOST_OF_A_NAME = 30
"""Django allows no longer name of an index."""
_NUMBERED = re.compile(r"^(\d{4})_\w+\.py$")
_COLUMN = re.compile(r"^([A-Za-z_]\w*)( DESC)?$")


class DjangoIndex:
    """Adds the index to the model's Meta and the migration that makes it, which Django can take back too. Refuses where
    the table's model is not plain, or where two migrations might be the last."""

    name = "django_index"
    causes = ("missing-index",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


@dataclass(frozen=True)
class Model:
    """A model in the file of its app."""

    source: Source
    app: str
    node: ast.ClassDef

    def field(self, column: str) -> str:
        """How the model calls a column, with a minus where it falls. Raises Unsure."""
        said = _COLUMN.match(column)
        names = {row.targets[0].id: ast.unparse(row.value) for row in self.node.body if isinstance(row, ast.Assign)
                 and isinstance(row.targets[0], ast.Name)}
        for name, value in names.items() if said else ():
            if "db_column" not in value and said and said[1] in (name, f"{name}_id" if "ForeignKey" in value else name):
                return ("-" if said[2] else "") + name
        raise Unsure(f"{self.node.name} has no plain field for the column {column}")


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service, details = service_of(finding, config), finding.details
    sources = python_sources(tree, service)
    if not is_project(sources):
        raise Elsewhere("this is no Django project")
    model = _model(sources, str(details["table"]))
    fields = [model.field(str(column)) for column in details["columns"]]
    name = str(details["index"])[:MOST_OF_A_NAME].strip("_")
    index = f"models.Index(fields=[{', '.join(_quoted(each) for each in fields)}], name={_quoted(name)})"
    changed = _named(model, index)
    path, script = _migration(tree, model, name, index)
    test = new_case(tree, service, name, _body(model, str(details["table"]), name, fields), _IMPORTS)
    return Patch(f"{model.node.name} gets an index on {', '.join(fields)}. Nothing is removed or changed."
                 f"{'' if test else NO_TEST}", {changed.path: changed.text, path: script} | test)


def _quoted(word: str) -> str:
    return f'"{word}"'


def _model(sources: Sequence[Source], table: str) -> Model:
    """The one model whose table it is, by Django's own naming. Raises Unsure."""
    found = [Model(source, app, node) for source in sources if source.stem == "models"
             for app in [PurePosixPath(source.path).parent.name]
             for node in ast.parse(source.text).body if isinstance(node, ast.ClassDef)
             and table == f"{app}_{node.name.lower()}"]
    if len(found) != 1:
        raise Unsure(f"{len(found) or 'no'} models in a models.py are {table} by their name")
    [model] = found
    said = ast.unparse(model.node)
    if [ast.unparse(base) for base in model.node.bases] != ["models.Model"] or "db_table" in said:
        raise Unsure(f"{model.node.name} is no plain models.Model")
    return model


def _named(model: Model, index: str) -> Source:
    """The file with the index in the model's Meta, which is made where there is none."""
    source, body = model.source, model.node.body
    meta = next((row for row in body if isinstance(row, ast.ClassDef) and row.name == "Meta"), None)
    indent = " " * body[0].col_offset
    row = f"{indent * 2}indexes = [{index}]"
    if meta is None:
        last = [each for each in body if isinstance(each, ast.Assign)][-1]
        return insert_after(source, last.end_lineno or last.lineno, ["", f"{indent}class Meta:", row])
    said = next((each for each in meta.body if isinstance(each, ast.Assign)
                 and ast.unparse(each.targets[0]) == "indexes"), None)
    if said is None:
        last_row = meta.body[-1]
        return insert_after(source, last_row.end_lineno or last_row.lineno, [row])
    return _longer(source, said, index)


def _longer(source: Source, said: ast.Assign, index: str) -> Source:
    """The file with one index more in a list of them, written one a line."""
    lines = source.text.splitlines(keepends=True)
    old = lines[said.lineno - 1:said.end_lineno]
    if not isinstance(said.value, ast.List) or any("#" in line for line in old):
        raise Unsure("the indexes of the model are no plain list")
    ending, indent = "\r\n" if "\r\n" in source.text else "\n", " " * said.col_offset
    rows = [*(str(ast.get_source_segment(source.text, each)) for each in said.value.elts), index]
    new = [f"{indent}indexes = [", *(f"{indent}    {each}," for each in rows), f"{indent}]"]
    lines[said.lineno - 1:said.end_lineno] = [line + ending for line in new]
    return reparsed(source, "".join(lines))


def _migration(tree: Path, model: Model, name: str, index: str) -> tuple[str, str]:
    """The path and the text of the next migration. Raises Unsure."""
    folder = tree / PurePosixPath(model.source.path).parent / "migrations"
    every = sorted(path.name for path in folder.glob("*.py") if path.name != "__init__.py") if folder.is_dir() else []
    numbers = [match[1] for each in every if (match := _NUMBERED.match(each))]
    if not numbers or len(numbers) != len(every) or numbers.count(numbers[-1]) > 1:
        raise Unsure(f"it is not plain which migration of {model.app} is the last")
    path = folder / f"{int(numbers[-1]) + 1:04}_{name}.py"
    return str(path.relative_to(tree)), f'''from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("{model.app}", "{every[-1].removesuffix('.py')}")]
    operations = [
        migrations.AddIndex(
            model_name="{model.node.name.lower()}",
            index={index},
        ),
    ]
'''


_IMPORTS = ("from django.apps import apps", "from django.db import connection", "from django.test import TestCase")


def _body(model: Model, table: str, name: str, fields: Sequence[str]) -> list[str]:
    """The test: the index that the model names is the one that the migrations made."""
    words = ", ".join(_quoted(each) for each in fields)
    return [f'model = apps.get_model("{model.app}", "{model.node.name}")',
            f'[index] = [each for each in model._meta.indexes if each.name == "{name}"]',
            f"self.assertEqual(index.fields, [{words}])",
            "with connection.cursor() as cursor:",
            f'    made = connection.introspection.get_constraints(cursor, "{table}")',
            f'columns = [model._meta.get_field(each.lstrip("-")).column for each in [{words}]]',
            f'self.assertEqual(made["{name}"]["columns"], columns)']
