"""What a caller written for one OpenAPI document would trip over in the next. Additions are fine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
NUMERIC = frozenset({"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"})

Json = Any
Schema = Mapping[str, Json]


@dataclass(frozen=True)
class Break:
    """One difference that a caller notices. `operation` is "GET /path"; `place` is "query skip", "body" or an answer;
    `bound` names the bound when all that happened is that a number has one now."""

    operation: str
    place: str
    said: str
    bound: str = ""

    def __str__(self) -> str:
        return f"{self.operation}: {self.place} {self.said}".replace("  ", " ")


def breaks(before: Schema, after: Schema) -> Iterator[Break]:
    for path, item in before.get("paths", {}).items():
        for method in (name for name in METHODS if name in item):
            operation = f"{method.upper()} {path}"
            found = after.get("paths", {}).get(path, {}).get(method)
            if found is None:
                yield Break(operation, "", "is gone")
            else:
                yield from _Operation(operation, before, after).compare(item[method], found)


@dataclass(frozen=True)
class _Operation:
    name: str
    before: Schema
    after: Schema

    def compare(self, old: Schema, new: Schema) -> Iterator[Break]:
        yield from self._parameters(old, new)
        yield from self._body(old, new)
        yield from self._answers(old, new)

    def _parameters(self, old: Schema, new: Schema) -> Iterator[Break]:
        was, now = _parameters(self.before, old), _parameters(self.after, new)
        for place, parameter in was.items():
            if place not in now:
                yield Break(self.name, place, "is gone")
                continue
            if now[place].get("required") and not parameter.get("required"):
                yield Break(self.name, place, "must be given now")
            yield from self._taken(place, parameter.get("schema", {}), now[place].get("schema", {}), 0)
        yield from (Break(self.name, place, "is new and must be given")
                    for place, parameter in now.items() if place not in was and parameter.get("required"))

    def _body(self, old: Schema, new: Schema) -> Iterator[Break]:
        was, now = old.get("requestBody", {}), new.get("requestBody", {})
        if now.get("required") and not was.get("required"):
            yield Break(self.name, "body", "must be given now")
        yield from (Break(self.name, "body", f"is no longer taken as {kind}")
                    for kind in was.get("content", {}) if kind not in now.get("content", {}))
        for kind, content in was.get("content", {}).items():
            if kind in now.get("content", {}):
                yield from self._taken("body", content.get("schema", {}), now["content"][kind].get("schema", {}), 0)

    def _answers(self, old: Schema, new: Schema) -> Iterator[Break]:
        for status, answer in old.get("responses", {}).items():
            place, now = f"answer {status}", new.get("responses", {}).get(status)
            if now is None:
                yield Break(self.name, place, "is gone")
                continue
            for kind, content in answer.get("content", {}).items():
                if kind not in now.get("content", {}):
                    yield Break(self.name, place, f"is no longer given as {kind}")
                else:
                    yield from self._given(place, content.get("schema", {}), now["content"][kind].get("schema", {}), 0)

    def _taken(self, place: str, old: Schema, new: Schema, depth: int) -> Iterator[Break]:
        """What was taken before must still be taken."""
        was, now = flat(self.before, old), flat(self.after, new)
        lost = _lost(was.get("type"), now.get("type"))
        if lost:
            yield Break(self.name, place, f"no longer takes {', '.join(lost)}")
        if "enum" in now and not set(map(str, was.get("enum", ["anything"]))) <= set(map(str, now["enum"])):
            yield Break(self.name, place, "takes fewer values")
        if now.get("pattern") and now["pattern"] != was.get("pattern"):
            yield Break(self.name, place, "must match another pattern")
        yield from (Break(self.name, place, f"has the bound {bound} {now[bound]}", bound if bound in NUMERIC else "")
                    for bound in _narrower(was, now))
        yield from (Break(self.name, f"{place} {name}", "must be given now")
                    for name in sorted(set(now.get("required", ())) - set(was.get("required", ()))))
        yield from self._inner(place, was, now, depth, self._taken)

    def _given(self, place: str, old: Schema, new: Schema, depth: int) -> Iterator[Break]:
        """What a caller could rely on must still be given."""
        was, now = flat(self.before, old), flat(self.after, new)
        unknown = _lost(now.get("type"), was.get("type"))
        if unknown and was.get("type"):
            yield Break(self.name, place, f"may be {', '.join(unknown)} now")
        yield from (Break(self.name, f"{place} {name}", "may be missing now")
                    for name in sorted(set(was.get("required", ())) - set(now.get("required", ())))
                    if name in now.get("properties", {}))
        yield from self._inner(place, was, now, depth, self._given)

    def _inner(self, place: str, was: Schema, now: Schema, depth: int, compare: Any) -> Iterator[Break]:
        if depth > 8:  # a schema that holds itself says nothing new further down
            return
        for name, schema in was.get("properties", {}).items():
            if name not in now.get("properties", {}):
                yield Break(self.name, f"{place} {name}", "is gone")
            else:
                yield from compare(f"{place} {name}", schema, now["properties"][name], depth + 1)
        if "items" in was and "items" in now:
            yield from compare(f"{place} items", was["items"], now["items"], depth + 1)


def _parameters(document: Schema, operation: Schema) -> dict[str, Schema]:
    resolved = [_resolved(document, each) for each in operation.get("parameters", ())]
    return {f"{each['in']} {each['name']}": each for each in resolved}


def _lost(old: list[str] | None, new: list[str] | None) -> list[str]:
    """Types of the first that the second does not hold; None holds everything."""
    if new is None:
        return []
    holds = {*new, "integer"} if "number" in new else set(new)
    return sorted(set(old) - holds) if old is not None else ["anything"]


def _narrower(was: Schema, now: Schema) -> Iterator[str]:
    yield from (name for name in LOWER if name in now and (name not in was or now[name] > was[name]))
    yield from (name for name in UPPER if name in now and (name not in was or now[name] < was[name]))


def _resolved(document: Schema, schema: Schema) -> Schema:
    for _ in range(20):
        if "$ref" not in schema:
            return schema
        found: Json = document
        for step in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = found.get(step.replace("~1", "/").replace("~0", "~"), {})
        schema = found
    return {}


def flat(document: Schema, schema: Schema) -> dict[str, Json]:
    """A schema without references, its alternatives laid over one another; "type" is a list, absent for anything."""
    whole = dict(_resolved(document, schema))
    branches = [flat(document, each) for key in ("anyOf", "oneOf") for each in whole.pop(key, ())]
    for each in [flat(document, part) for part in whole.pop("allOf", ())]:
        whole = {**each, **whole, "properties": {**each.get("properties", {}), **whole.get("properties", {})}}
    if isinstance(whole.get("type"), str):
        whole["type"] = [whole["type"]]
    real = [each for each in branches if each.get("type") != ["null"]]
    if branches:
        kinds = [each.get("type") for each in branches]
        whole |= real[0] if len(real) == 1 else {
            "properties": {name: value for each in real for name, value in each.get("properties", {}).items()}}
        whole.pop("type", None)
        if all(kinds):
            whole["type"] = sorted({kind for each in kinds for kind in each or ()})
    return whole
