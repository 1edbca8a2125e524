"""The test that a request is refused as it should be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qsl

from aiimprove.finding import Finding, Json
from aiimprove.probes.bodies import content_type
from aiimprove.recipes.clients import Client, new_test
from aiimprove.recipes.django_tests import new_case
from aiimprove.settings import Service


def refusal_test(tree: Path, service: Service, finding: Finding, status: int, said: str) -> dict[str, str]:
    """A file with a test that the finding's request is answered with exactly this status, by its path in the tree.

    Empty where it is not plain how a test gets a client with a database behind it. Raises Unsure.
    """
    return _test(tree, service, finding, said, ([finding.probe.request], [], status))


def border_test(tree: Path, service: Service, finding: Finding, status: int) -> dict[str, str]:
    """The same for a number beyond its borders; the last values within them that the app takes are not refused."""
    edges = [edge for each in finding.details["parameters"] for edge in each.get("edges", ())]
    refused = [finding.probe.request, *(edge["crashes"] for edge in edges)]
    taken = [edge["passes"] for edge in edges if edge["accepted"]] if finding.details["method"] == "GET" else []
    usual = [finding.details["valid"]] if finding.details["location"] != "path" and taken else []
    return _test(tree, service, finding, "bounds", (refused, [*usual, *taken], status))


Asked = tuple[Sequence[Mapping[str, Json]], Sequence[Mapping[str, Json]], int]
"""Requests that are refused, requests that are not, and the status of a refusal."""


def _test(tree: Path, service: Service, finding: Finding, said: str, asked: Asked) -> dict[str, str]:
    details, (refused, taken, status) = finding.details, asked
    method = str(details["method"]).lower()
    name = named_test(str(details["method"]), str(details["route"]), str(details["parameter"]), said)
    if case := new_case(tree, service, name, list(_djangos(asked))):
        return case

    def body(client: Client) -> list[str]:
        lines = [line for each in refused for line in (
            f"refused = {client.name}.{call(method, each)}", f"assert refused.status_code == {status}")]
        lines += [f"assert {client.name}.{call(method, each)}.status_code not in ({status}, 500)" for each in taken]
        return [] if client.bare else lines

    return {path: text for path, text in new_test(tree, service, name, body).items() if "assert" in text}


def _djangos(asked: Asked) -> Iterator[str]:
    """The same in the words of Django's TestCase."""
    refused, taken, status = asked
    for each in refused:
        yield f"refused = self.client.{django_call(each)}"
        yield f"self.assertEqual(refused.status_code, {status})"
    for each in taken:
        yield f"self.assertNotIn(self.client.{django_call(each)}.status_code, ({status}, 500))"


def django_call(request: Mapping[str, Json]) -> str:
    """How a client of Django's tests sends a request."""
    words = [json.dumps(request["path"])]
    if form := _form(request):
        words += [repr(form)]
    elif request.get("body"):
        words += [f"{request['body']!r}", 'content_type="application/json"']
    return f"{str(request['method']).lower()}({', '.join(words)})"


def _form(request: Mapping[str, Json]) -> dict[str, str]:
    """The fields of a form that a request sends; none when it sends something else."""
    body = str(request.get("body") or "")
    return dict(parse_qsl(body, keep_blank_values=True)) if "form" in content_type(body.encode()) else {}


def named_test(*words: str) -> str:
    """The words as the name of a test, in small letters."""
    return re.sub(r"[^a-z0-9]+", "_", " ".join(words).lower().replace("/api/", "/")).strip("_")


def call(method: str, request: object) -> str:
    """How a test client sends a request."""
    assert isinstance(request, dict)
    words = [json.dumps(request["path"])]
    if form := _form(request):
        return f'{method}({words[0]}, data={form!r})'
    if method not in ("get", "delete") or not request.get("body"):
        words += [f"json={json.loads(request['body'])!r}"] if request.get("body") else []
        return f"{method}({', '.join(words)})"
    return f'request("{method.upper()}", {words[0]}, json={json.loads(request["body"])!r})'
