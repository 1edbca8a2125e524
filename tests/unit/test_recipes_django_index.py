"""An index of a Django model: in the Meta that is there or in a new one, with its migration, or not at all."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from aiimprove.finding import Finding, Kind, Probe
from aiimprove.recipes import Declined, Draft
from aiimprove.recipes.django_index import DjangoIndex
from aiimprove.settings import Config, Service

CONFIG = Config(services={"web": Service(folder="srv")})
MODEL = ("from django.db import models\n\n\nclass Bed(models.Model):\n    name = models.CharField(max_length=9)\n\n\n"
         "class Plant(models.Model):\n    bed = models.ForeignKey(Bed, models.CASCADE)\n"
         "    sown = models.DateField()\n")
AFTER = "\n    def __str__(self):\n        return self.name\n"
OWN = 'models.Index(fields=["sown"], name="garden_plant_by_sown")'
FIRST = "0001_initial.py"


def write(tree: Path, models: str, *columns: str, migrations: tuple[str, ...] = (FIRST,),
          table: str = "garden_plant") -> tuple[Draft | Declined, str, Path]:
    app = tree / "srv" / "garden"
    (app / "migrations").mkdir(parents=True)
    for name in ("__init__.py", *migrations):
        (app / "migrations" / name).write_text("")
    (app / "__init__.py").write_text("")
    (app / "tests.py").write_text("from django.test import TestCase\n")
    (app / "models.py").write_text(models)
    (tree / "srv" / "manage.py").write_text("import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'settings')\n")
    details = {"service": "web", "table": table, "columns": list(columns or ["sown"]), "index": "garden_plant_by_sown"}
    found = Finding("slow_sql", Kind.PERFORMANCE, "missing-index", "web/db:t(c)", "t", "s",
                    Probe("query-plan", "web", {}, {}), 1.0, details)
    result = DjangoIndex().write(found, tree, CONFIG)
    text = (app / "models.py").read_text()
    ast.parse(text)
    return result, text, app


@pytest.mark.parametrize(("models", "expected"), [
    (MODEL, MODEL + f"\n    class Meta:\n        indexes = [{OWN}]\n"),
    (MODEL + AFTER, MODEL + f"\n    class Meta:\n        indexes = [{OWN}]\n" + AFTER),
    (MODEL + "\n    class Meta:\n        ordering = [\n            'sown',\n        ]\n" + AFTER,
     MODEL + "\n    class Meta:\n        ordering = [\n            'sown',\n        ]\n"
     f"        indexes = [{OWN}]\n" + AFTER),
    (MODEL + "\n    class Meta:\n        indexes = [models.Index(fields=['bed', 'sown'])]\n" + AFTER,
     MODEL + "\n    class Meta:\n        indexes = [\n            models.Index(fields=['bed', 'sown']),\n"
     f"            {OWN},\n        ]\n" + AFTER),
])
def test_the_index_is_named_in_the_model(tmp_path: Path, models: str, expected: str) -> None:
    result, text, app = write(tmp_path, models)
    assert isinstance(result, Draft) and text == expected, result
    migration = (app / "migrations" / "0002_garden_plant_by_sown.py").read_text()
    assert 'dependencies = [("garden", "0001_initial")]' in migration
    assert f'model_name="plant",\n            index={OWN},' in migration
    test = (app / "test_garden_plant_by_sown.py").read_text()
    assert 'apps.get_model("garden", "Plant")' in test and 'get_constraints(cursor, "garden_plant")' in test
    ast.parse(migration), ast.parse(test)


def test_columns_are_called_as_the_model_calls_them(tmp_path: Path) -> None:
    result, text, _ = write(tmp_path, MODEL, "bed_id", "sown DESC")
    assert isinstance(result, Draft) and 'models.Index(fields=["bed", "-sown"], ' in text


def test_it_comes_after_the_last_migration(tmp_path: Path) -> None:
    result, _, app = write(tmp_path, MODEL, migrations=(FIRST, "0002_beds.py", "0010_more.py"))
    assert isinstance(result, Draft)
    migration = (app / "migrations" / "0011_garden_plant_by_sown.py").read_text()
    assert 'dependencies = [("garden", "0010_more")]' in migration


@pytest.mark.parametrize(("models", "columns", "migrations", "said"), [
    (MODEL, ("lower(sown)",), (FIRST,), "no plain field"), (MODEL, ("bought",), (FIRST,), "no plain field"),
    (MODEL.replace("DateField()", "DateField(db_column='sown')"), (), (FIRST,), "no plain field"),
    (MODEL, (), (), "which migration"), (MODEL, (), (FIRST, "0002_a.py", "0002_b.py"), "which migration"),
    (MODEL, (), (FIRST, "later.py"), "which migration"),
    (MODEL.replace("Plant(models.Model)", "Plant(Living)"), (), (FIRST,), "no plain models.Model"),
    (MODEL + "\n    class Meta:\n        db_table = 'garden_plant'\n", (), (FIRST,), "no plain models.Model"),
    (MODEL + "\n    class Meta:\n        indexes = KNOWN\n", (), (FIRST,), "no plain list"),
    (MODEL + "\n    class Meta:\n        indexes = [  # none yet\n        ]\n", (), (FIRST,), "no plain list"),
    (MODEL.replace("class Plant", "class Tree"), (), (FIRST,), "no models"),
])
def test_what_is_not_plain_is_left_alone(tmp_path: Path, models: str, columns: tuple[str, ...],
                                         migrations: tuple[str, ...], said: str) -> None:
    result, text, app = write(tmp_path, models, *columns, migrations=migrations)
    assert isinstance(result, Declined) and said in result.reason, result
    assert text == models and len(list((app / "migrations").iterdir())) == 1 + len(migrations)


def test_another_framework_is_none_of_its_business(tmp_path: Path) -> None:
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv" / "main.py").write_text("import flask\n")
    found = Finding("slow_sql", Kind.PERFORMANCE, "missing-index", "p", "t", "s", Probe("query-plan", "web", {}, {}),
                    1.0, {"service": "web", "table": "t", "columns": ["a"], "index": "i"})
    assert DjangoIndex().write(found, tmp_path, CONFIG) == Declined("")
