"""Bounds on an integer exactly where it crashes: what passed before still passes, what crashed is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import libcst as cst

from aiimprove.finding import Finding, Json
from aiimprove.recipes import Declined, Draft, Patch, Unsure, written
from aiimprove.recipes.clients import NO_TEST, Client, new_test
from aiimprove.recipes.fields import Bounds, Field, alias_of, bounded, is_marked, readable, written_type
from aiimprove.recipes.refusals import call, named_test
from aiimprove.recipes.routes import Endpoint, find
from aiimprove.recipes.sources import Source, argument, dotted, python_sources, service_of
from aiimprove.recipes.wrapping import wrapped
from aiimprove.settings import Config

_DEEPEST = 4
Crashing = Mapping[str, Json]


class IntegerBounds:
    """Finds the parameter in its handler, in a dependency or in a model, and bounds it there."""

    name = "integer_bounds"
    causes = ("integer-out-of-range",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service, crashing = service_of(finding, config), _crashing(finding)
    sources = before = python_sources(tree, service)
    for each in crashing:
        changed = _bounded(sources, finding, each)
        sources = [changed if source.path == changed.path else source for source in sources]
    test = new_test(tree, service, _test_name(finding, crashing), lambda client: _test(finding, crashing, client))
    said = "; ".join(f"{each['parameter']} must be {_words(_bounds(each))}" for each in crashing)
    files = {new.path: wrapped(new, old).text for new, old in zip(sources, before, strict=True) if new is not old}
    return Patch(f"{finding.details['method']} {finding.details['route']}: {said}. Other values are refused as "
                 f"invalid.{'' if test else NO_TEST}", files | test)


def _crashing(finding: Finding) -> list[Crashing]:
    """What there is to know about each parameter that crashes. Raises Unsure when one of them has no borders."""
    found: list[Crashing] = [{**finding.details, **each} for each in finding.details.get("parameters") or [{}]]
    for each in found:
        bounds = _bounds(each)
        if not each.get("one_stretch") or (bounds.least is None and bounds.most is None):
            raise Unsure("the values that pass are not one stretch, so that bounds would refuse some of them")
    return found


def _bounds(crashing: Crashing) -> Bounds:
    return Bounds(crashing.get("lowest_ok"), crashing.get("highest_ok"))


def _words(bounds: Bounds) -> str:
    sides = (("at least", bounds.least), ("at most", bounds.most))
    return " and ".join(f"{side} {readable(value)}" for side, value in sides if value is not None)


def _bounded(sources: Sequence[Source], finding: Finding, crashing: Crashing) -> Source:
    """The file in which one parameter is declared, with its bounds. Raises Unsure."""
    details, name = finding.details, str(crashing["parameter"])
    handler = find(sources, details["method"], details["route"], details["operation"])
    field = _field(sources, handler, name, str(crashing["location"]))
    try:
        changed = bounded(field, _bounds(crashing))
    except Unsure as unsure:
        raise Unsure(f"{name} cannot be bounded: {unsure}") from unsure
    if changed.text == field.source.text:
        raise Unsure(f"{name} has these bounds already")
    return changed


def _field(sources: Sequence[Source], handler: Endpoint, name: str, location: str) -> Field:
    marker = {"path": "Path", "query": "Query", "body": "Body"}[location]
    found = list(_fields(sources, handler.source, handler.function.params, name, marker))
    if len(found) != 1:
        where = f"{len(found)} places" if found else "no place"
        raise Unsure(f"{name} of {handler.function.name.value} is declared in {where} that can be edited safely")
    return _followed(sources, found[0])


def _followed(sources: Sequence[Source], field: Field) -> Field:
    """Where the type of a field is spelled out: `Page = Annotated[int, ...]` may stand elsewhere."""
    annotation = written_type(field.node)
    named = _aliases(sources, dotted(annotation).rpartition(".")[2]) if annotation else []
    return Field(named[0][0], named[0][1], field.marker) if len(named) == 1 else field


def _fields(sources: Sequence[Source], source: Source, parameters: cst.Parameters, name: str, marker: str,
            depth: int = 0) -> Iterator[Field]:
    every = [*parameters.posonly_params, *parameters.params, *parameters.kwonly_params]
    own = [each for each in every if (_sent_as(sources, each) or each.name.value) == name]
    if own and (marker != "Body" or is_marked(own[0], "Body")):
        yield Field(source, own[0], marker)
        return
    for each in every if depth < _DEEPEST else ():
        for home, node in _behind(sources, source, each, marker):
            if isinstance(node, cst.FunctionDef):
                yield from _fields(sources, home, node.params, name, marker, depth + 1)
            else:
                yield from _members(sources, home, node, name, marker, depth + 1)


def _sent_as(sources: Sequence[Source], parameter: cst.Param) -> str:
    """The name under which a visitor sends it, also when its named type says so; empty when it is its own."""
    return alias_of(parameter) or alias_of(_followed(sources, Field(sources[0], parameter, "")).node)


def _behind(sources: Sequence[Source], source: Source, parameter: cst.Param,
            marker: str) -> Iterator[tuple[Source, cst.FunctionDef | cst.ClassDef]]:
    """The dependency or the model that a parameter stands for."""
    annotation = parameter.annotation.annotation if parameter.annotation else None
    if isinstance(annotation, cst.Name):
        annotation = _alias(sources, annotation.value) or annotation
    depended = {_depended(annotation), _depended(parameter.default)} - {None}
    words = {word or _named(annotation) for word in depended}
    if not depended and (marker == "Body" or is_marked(parameter, marker)):
        words = {_named(annotation)}
    for word in sorted(words):
        defined = [(each, node) for each in sources for node in each.module.body
                   if isinstance(node, (cst.FunctionDef, cst.ClassDef)) and node.name.value == word]
        if len(defined) == 1:
            yield defined[0]


def _alias(sources: Sequence[Source], name: str) -> cst.BaseExpression | None:
    """What `Name = Annotated[...]` at the top of some file stands for."""
    found = _aliases(sources, name)
    return found[0][1].value if len(found) == 1 else None


def _aliases(sources: Sequence[Source], name: str) -> list[tuple[Source, cst.Assign]]:
    return [(each, small) for each in sources for row in each.module.body if isinstance(row, cst.SimpleStatementLine)
            for small in row.body if name and isinstance(small, cst.Assign) and dotted(small.targets[0].target) == name]


def _named(annotation: cst.BaseExpression | None) -> str:
    """The class that an annotation names, through Optional and Annotated; empty when it is none."""
    if isinstance(annotation, (cst.Name, cst.Attribute)):
        return dotted(annotation).rpartition(".")[2]
    if isinstance(annotation, cst.Subscript) and isinstance(annotation.slice[0].slice, cst.Index):
        return _named(annotation.slice[0].slice.value)
    return _named(annotation.left) if isinstance(annotation, cst.BinaryOperation) else ""


def _depended(node: cst.BaseExpression | None) -> str | None:
    """What Depends(...) names, as a default or within Annotated: empty for Depends(), None without one."""
    if isinstance(node, cst.Call) and dotted(node.func).rpartition(".")[2] == "Depends":
        return dotted(argument(node, "dependency", 0)).rpartition(".")[2]
    inner = [each.slice.value for each in node.slice if isinstance(each.slice, cst.Index)] if isinstance(
        node, cst.Subscript) else []
    return next((word for each in inner if (word := _depended(each)) is not None), None)


def _members(sources: Sequence[Source], source: Source, node: cst.ClassDef, name: str, marker: str,
             depth: int) -> Iterator[Field]:
    """The field of that name in a model, or the parameter of a class that is called as a dependency."""
    rows = node.body.body
    made = next((row for row in rows if isinstance(row, cst.FunctionDef) and row.name.value == "__init__"), None)
    if made is not None:
        yield from _fields(sources, source, made.params, name, marker, depth)
        return
    bases = [dotted(base.value).rpartition(".")[2] for base in node.bases]
    for row in rows:
        for small in row.body if isinstance(row, cst.SimpleStatementLine) else ():
            if isinstance(small, cst.AnnAssign) and (alias_of(small) or dotted(small.target)) == name and bases:
                yield Field(source, small, "Field")
                return
    for base in bases if depth < _DEEPEST else ():
        for each in sources:
            for parent in each.module.body:
                if isinstance(parent, cst.ClassDef) and parent.name.value == base:
                    yield from _members(sources, each, parent, name, marker, depth + 1)


def _test_name(finding: Finding, crashing: Sequence[Crashing]) -> str:
    names = [str(each["parameter"]) for each in crashing] if len(crashing) == 1 else []
    return named_test(str(finding.details["method"]), str(finding.details["route"]), *names, "bounds")


def _test(finding: Finding, crashing: Sequence[Crashing], client: Client) -> list[str]:
    """The body of a test: what crashed is refused, from the first value beyond the border on; a usual value is not,
    and neither is the last one within the border. Where nobody put a database behind the client only that is asked."""
    method, lines = finding.details["method"].lower(), []
    edges = [edge for each in crashing for edge in each.get("edges", ())]
    refused = [*_requests(finding), *(edge["crashes"] for edge in edges)]
    for asked in dict.fromkeys(call(method, bad) for bad in refused):
        lines += [f"refused = {client.name}.{asked}", "assert 400 <= refused.status_code < 500"]
    usual = [each["valid"] for each in crashing] if method == "get" else []
    last = [edge["passes"] for edge in edges if edge["accepted"]] if method == "get" or not client.bare else []
    for asked in dict.fromkeys(call(method, good) for good in (*usual, *last)):
        lines += [f"assert {client.name}.{asked}.status_code not in (422, 500)" if not client.bare
                  else f"assert {client.lenient}.{asked}.status_code != 422"]
    return lines


def _requests(finding: Finding) -> list[object]:
    return [finding.probe.request, *finding.probe.request.get("also", ())]
