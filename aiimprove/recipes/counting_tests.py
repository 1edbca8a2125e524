"""The test that a list asks for something of all its rows at once: it makes rows and counts statements."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aiimprove.finding import Finding
from aiimprove.recipes import Unsure
from aiimprove.recipes.clients import Client, new_test
from aiimprove.recipes.django_tests import new_case
from aiimprove.recipes.model_rows import made
from aiimprove.recipes.refusals import named_test
from aiimprove.recipes.relations import DJANGO, Model, Relation, relations
from aiimprove.recipes.row_queries import Root
from aiimprove.recipes.sources import Source
from aiimprove.settings import Service

ROWS = 3
_CHOOSING = frozenset({"filter", "where", "filter_by", "exclude", "having"})
_COUNTED = ('of = [each for each in sent if each.partition("FROM ")[2].split(" ")[0].strip(\'",\\n\').lower() '
            '== "{table}"]')


@dataclass(frozen=True)
class Counting:
    """What the test needs to know: `path` is asked, and `relation` is what must come with the rows of `root`."""

    service: Service
    path: str
    relation: Relation
    known: Sequence[Relation]
    models: Sequence[Model]
    root: Root

    @property
    def table(self) -> str:
        return self.relation.target.table

    def said(self, row: str) -> list[str]:
        """What has to be true of the statements sent, and of the answer as far as the line says it."""
        words = """each.lower().replace('"', " ").replace(",", " ").split()"""
        fetched = f'assert any("{self.table}" in {words} for each in sent)'
        lines = [] if _CHOOSING & set(self.root.steps) else [fetched]
        lines += [f"assert any({limit} for each in sent)" for limit in self._limits(row)]
        return [*lines, _COUNTED.format(table=self.table), "assert len(of) <= 1"]

    def _limits(self, row: str) -> Iterator[str]:
        """How the numbers of the line that changes show in the statements."""
        for number in re.findall(r"\.limit\((\d+)\)|\[:(\d+)\]", row):
            yield f'"LIMIT {number[0] or number[1]}" in each'

    def keys(self, row: str) -> list[str]:
        """The keys of an answer that stand in the line that changes."""
        return [] if "render" in row else re.findall(r'["\'](\w+)["\']:', row)

    def imports(self, words: str) -> list[str]:
        """The imports of the models that some lines name."""
        used: dict[str, list[str]] = {}
        for each in self.models:
            if re.search(rf"\b{each.name}\b", words):
                used.setdefault(module(each.source, self.service), []).append(each.name)
        return [f"from {file} import {', '.join(sorted(names))}" for file, names in sorted(used.items())]


def module(source: Source, service: Service) -> str:
    """How a test imports a file of the service."""
    path = PurePosixPath(source.path)
    parts = path.relative_to(service.folder).with_suffix("").parts if service.folder not in ("", ".") else \
        path.with_suffix("").parts
    return ".".join(part for index, part in enumerate(parts)
                    if part != "__init__" and not (index == 0 and part == "src"))


def counting_test(tree: Path, service: Service, finding: Finding, relation: Relation, models: Sequence[Model],
                  root: Root) -> dict[str, str]:
    """A file with the test, by its path in the tree; empty where it is not plain how rows are made or how a test gets a
    client with a database behind it."""
    path = str(finding.probe.request["path"])
    known = relations(models)
    counting = Counting(service, path, relation, known, models, root)
    if "{" in str(finding.details["route"]):
        return {}
    name = named_test("GET", path.partition("?")[0], relation.name, "at_once")
    row = root.source.text.splitlines()[(root.node.end_lineno or root.node.lineno) - 1]
    try:
        if relation.owner.kind == DJANGO:
            return _djangos(tree, counting, name, row)
        return _sqlalchemys(tree, counting, name, row)
    except Unsure:
        return {}


def _djangos(tree: Path, counting: Counting, name: str, row: str) -> dict[str, str]:
    making = list(_rows_of_django(counting.relation, counting.known))
    shown = [f'self.assertIn(\'"{key}"\', answer.content.decode())' for key in counting.keys(row)]
    body = [f"for n in range({ROWS}):", *(f"    {line}" for line in making),
            "with CaptureQueriesContext(connection) as captured:",
            f'    answer = self.client.get("{counting.path}")', "self.assertEqual(answer.status_code, 200)", *shown,
            'sent = [each["sql"] for each in captured.captured_queries]', *counting.said(row)]
    imports = ("from django.db import connection", "from django.test import TestCase",
               "from django.test.utils import CaptureQueriesContext", "", *counting.imports(" ".join(making)))
    return new_case(tree, counting.service, name, body, imports)


def _rows_of_django(relation: Relation, known: Sequence[Relation]) -> Iterator[str]:
    if not relation.many:
        yield made(relation.owner, known, f"{relation.name}={made(relation.target, known)}")
        return
    keys = [each for each in known if each.owner == relation.target and each.target == relation.owner and not each.many]
    yield f"one = {made(relation.owner, known)}"
    if any(each.owner == relation.owner and each.name == relation.name and _is_set(each) for each in known):
        yield f"one.{relation.name}.add({made(relation.target, known)})"
    elif len(keys) == 1:
        yield made(relation.target, known, f"{keys[0].name}=one")
    else:
        raise Unsure(f"it is not plain how {relation.name} is filled")


def _is_set(relation: Relation) -> bool:
    """Whether it is a set of its own, and no other side of a foreign key."""
    return any(isinstance(row, ast.Assign) and ast.unparse(row.targets[0]) == relation.name
               and "ManyToManyField" in ast.unparse(row.value) for row in relation.owner.node.body)


def _sqlalchemys(tree: Path, counting: Counting, name: str, row: str) -> dict[str, str]:
    relation, known = counting.relation, counting.known
    scalar = any(f"{relation.target.table}." in ast.unparse(each).lower() for each in relation.owner.node.body
                 if "ForeignKey" in ast.unparse(each))
    inner = made(relation.target, known)
    making = made(relation.owner, known, f"{relation.name}={inner if scalar else f'[{inner}]'}")
    session = _dependency(counting.root)
    imports = ["from sqlalchemy import create_engine, event" if session else "from sqlalchemy import event",
               "from sqlalchemy.engine import Engine", "from sqlalchemy.orm import Session",
               *(["from sqlalchemy.pool import StaticPool"] if session else []), "", *counting.imports(making),
               *([f"from {module(counting.root.source, counting.service)} import {session}"] if session else [])]

    def body(client: Client) -> list[str]:
        asked = f'{client.name}.get("{counting.path}")'
        filled = ["    with Session(engine) as session:",
                  f"        session.add_all([{making} for n in range({ROWS})])", "        session.commit()"]
        shown = [f'assert \'"{key}"\' in answer.text' for key in counting.keys(row)]
        lines = _overriding(client, session, making) if session else [
            "try:", f"    assert {asked}.status_code == 200", "    engine = engines[-1]"]
        end = [f"    {client.name}.app.dependency_overrides = before"] if session else []
        if client.bare and not session:
            return []
        return [*_NOTING, *lines, *filled, "    sent.clear()", f"    answer = {asked}", "finally:",
                '    event.remove(Engine, "before_cursor_execute", note)', *end, "assert answer.status_code == 200",
                *shown, *counting.said(row)]

    found = new_test(tree, counting.service, name, body, imports)
    return {path: text for path, text in found.items() if "assert" in text}


_NOTING = ["sent, engines = [], []",
           "def note(connection, cursor, statement, parameters, *rest):",
           "    for each in parameters if isinstance(parameters, tuple) else ():",
           '        statement = statement.replace("?", str(each), 1)',
           "    sent.append(statement)", "    engines.append(connection.engine)",
           'event.listen(Engine, "before_cursor_execute", note)']


def _overriding(client: Client, session: str, making: str) -> list[str]:
    """A database of the test's own in the place of the one that the app would open."""
    model = making.partition("(")[0]
    return [f"before = dict({client.name}.app.dependency_overrides)", "try:",
            '    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})',
            f"    {model}.metadata.create_all(engine)",
            f"    {client.name}.app.dependency_overrides[{session}] = lambda: Session(engine)"]


def _dependency(root: Root) -> str:
    """The function by which FastAPI gives the handler its session; empty when there is none."""
    found = re.findall(r"\bDepends\((\w+)\)", ast.unparse(root.function.args))
    return found[0] if len(found) == 1 and "Async" not in ast.unparse(root.function.args) else ""
