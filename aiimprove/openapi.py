"""The routes of a service and their typed parameters, read from its OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiimprove.finding import Json

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Parameter:
    """One value that a route takes. `location` is path, query or body; `pointer` names its schema in the document."""

    name: str
    location: str
    schema: Mapping[str, Json]
    required: bool
    pointer: str

    @property
    def type(self) -> str:
        return str(self.schema.get("type", ""))


@dataclass(frozen=True)
class Route:
    """One operation: `path` is the template with {braces}."""

    method: str
    path: str
    operation: str
    parameters: tuple[Parameter, ...]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def writes(self) -> bool:
        return self.method != "GET"


def routes(document: Json) -> list[Route]:
    """Every operation of the document, reading ones first and deleting ones last; empty when it is none."""
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        return []
    order = [method.upper() for method in METHODS]
    found = [route for path, item in document["paths"].items() for route in _operations(document, path, item)]
    return sorted(found, key=lambda route: order.index(route.method))


def _operations(document: Mapping[str, Json], path: str, item: Mapping[str, Json]) -> Iterator[Route]:
    for method in METHODS:
        operation = item.get(method)
        if isinstance(operation, dict):
            base = f"/paths/{_escaped(path)}/{method}"
            parameters = (*_declared(document, item, operation, base), *_fields(document, operation, base))
            yield Route(method.upper(), path, str(operation.get("operationId", "")), parameters)


def _declared(document: Mapping[str, Json], item: Mapping[str, Json], operation: Mapping[str, Json],
              base: str) -> Iterator[Parameter]:
    for index, row in enumerate([*operation.get("parameters", ()), *item.get("parameters", ())]):
        parameter = _followed(document, row)
        if parameter.get("in") in ("path", "query"):
            schema = resolved(document, parameter.get("schema", {}))
            if "example" in parameter:
                schema = {**schema, "example": parameter["example"]}
            yield Parameter(parameter["name"], parameter["in"], schema, bool(parameter.get("required")),
                            f"{base}/parameters/{index}/schema")


def _fields(document: Mapping[str, Json], operation: Mapping[str, Json], base: str) -> Iterator[Parameter]:
    """The top-level fields of a JSON body."""
    content = _followed(document, operation.get("requestBody", {})).get("content", {})
    schema = resolved(document, content.get("application/json", {}).get("schema", {}))
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        yield Parameter(name, "body", resolved(document, field), name in required,
                        f"{base}/requestBody/content/application~1json/schema/properties/{_escaped(name)}")


def resolved(document: Mapping[str, Json], schema: Mapping[str, Json], depth: int = 0) -> Mapping[str, Json]:
    """A schema without references, and without the null that `Optional` adds."""
    schema = _followed(document, schema)
    for word in ("anyOf", "oneOf", "allOf"):
        choices = [each for each in schema.get(word, ()) if each.get("type") != "null"]
        if len(choices) == 1 and depth < 8:
            rest = {name: value for name, value in schema.items() if name != word}
            return {**resolved(document, choices[0], depth + 1), **rest}
    if isinstance(schema.get("type"), list):  # OpenAPI 3.1 writes optional types this way too
        kinds = [kind for kind in schema["type"] if kind != "null"]
        return {**schema, "type": kinds[0] if len(kinds) == 1 else ""}
    return schema


def _followed(document: Mapping[str, Json], node: Mapping[str, Json], depth: int = 0) -> Mapping[str, Json]:
    reference = node.get("$ref")
    if not isinstance(reference, str) or depth > 8:
        return node
    target: Json = document
    for step in reference.removeprefix("#/").split("/"):
        target = target.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(target, dict) else {}
    return _followed(document, target, depth + 1)


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
