"""Rows that a list reads one by one are fetched with the list: by the loading options of SQLAlchemy or Django."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Patch, Unsure, written
from aiimprove.recipes.clients import NO_TEST
from aiimprove.recipes.counting_tests import counting_test
from aiimprove.recipes.imports import with_name
from aiimprove.recipes.relations import DJANGO, Model, Relation, models, relations
from aiimprove.recipes.row_queries import Frame, Root, frames_of, query_of
from aiimprove.recipes.shown_rows import answering, renders, shown
from aiimprove.recipes.sources import Source, python_sources, reparsed, service_of
from aiimprove.settings import Config

_WHOLE = "all"
"""How Django reads all rows of the other side. A count of them is not made cheaper by fetching them, and a filter asks
again."""


class EagerLoading:
    """Adds `selectinload`, `select_related` or `prefetch_related` where the query of the list begins, for the one
    relationship that is read on the line that sends the statements. Refuses SQL that is written out, queries that do
    not plainly give whole rows of one model, and relationships that say themselves how they are loaded."""

    name = "eager_loading"
    causes = ("repeated-statements",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service, details = service_of(finding, config), finding.details
    sources = python_sources(tree, service)
    known = models(sources)
    root, relation = _lazy(finding, sources, service.folder, known)
    changed = _eager(root, relation)
    test = counting_test(tree, service, finding, relation, known, root)
    return Patch(f"{details['method']} {details['route']} fetches {relation.name} of all rows together, and not one by "
                 f"one.{'' if test else NO_TEST}", {changed.path: changed.text} | test)


def _lazy(finding: Finding, sources: Sequence[Source], folder: str, known: Sequence[Model]) -> tuple[Root, Relation]:
    """The query of the list, and the relationship that is read of its rows. Raises Unsure."""
    table, names = str(finding.details["table"]), {each.name for each in known}
    fitting = [each for each in relations(known) if each.target.table == table]
    if not fitting:
        raise Unsure(f"no relationship of a model leads to {table}: the statement may be written out there")
    frames = list(frames_of(finding.details.get("frames", ()), sources, folder))
    if not frames or renders(frames[0]):
        root, relation = shown(frames[0] if frames else answering(finding, sources), fitting, names)
    else:
        row, relation = _read(frames[0], fitting, table)
        root = query_of(row, frames, names)
    if root.model.rpartition(".")[2] != relation.owner.name:
        raise Unsure(f"the list is of {root.model}, and {relation.name} is read of {relation.owner.name}")
    if not relation.plain:
        raise Unsure(f"{relation.name} says itself how it is loaded")
    return root, relation


def _read(frame: Frame, fitting: Sequence[Relation], table: str) -> tuple[str, Relation]:
    """The variable, and the relationship that is read of it on a line. Raises Unsure."""
    found = {(node.value.id, each.owner.name, each.name): (node, each) for node in frame.here()
             if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
             for each in fitting if each.name == node.attr}
    if len(found) != 1:
        raise Unsure(f"{len(found) or 'no'} relationships to {table} are read on that line")
    [(row, _, _), (node, relation)] = next(iter(found.items()))
    if relation.owner.kind == DJANGO and relation.many and not _all_of_it(frame, node):
        raise Unsure(f"{relation.name} is not read as a whole")
    return row, relation


def _all_of_it(frame: Frame, node: ast.Attribute) -> bool:
    """Whether every use of it is `.all()`, with nothing behind it."""
    every = list(ast.walk(frame.function))
    around = [each for each in every if isinstance(each, ast.Attribute) and each.value is node]
    further = [each for each in every if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Call)
               and each.value.func in around]
    return bool(around) and not further and all(each.attr == _WHOLE for each in around)


def _eager(root: Root, relation: Relation) -> Source:
    """The file with the option right behind the beginning of the query. Raises Unsure when it is there already."""
    source = root.source
    if relation.owner.kind == DJANGO:
        option = "prefetch_related" if relation.many else "select_related"
        _refuse_again(root, (option,))
        return _behind(source, root.node, f'.{option}("{relation.name}")')
    _refuse_again(root, ("options", "join"))
    _, called = with_name(source, "sqlalchemy.orm", "selectinload")
    changed = _behind(source, root.node, f".options({called}({root.model}.{relation.name}))")
    return with_name(changed, "sqlalchemy.orm", "selectinload")[0]


def _refuse_again(root: Root, words: Sequence[str]) -> None:
    if said := next((each for each in root.steps if each in words), ""):
        raise Unsure(f"the query says {said} already")


def _behind(source: Source, node: ast.expr, added: str) -> Source:
    lines = source.text.splitlines(keepends=True)
    index, column = (node.end_lineno or node.lineno) - 1, node.end_col_offset or 0
    raw = lines[index].encode()
    lines[index] = (raw[:column] + added.encode() + raw[column:]).decode()
    return reparsed(source, "".join(lines))
