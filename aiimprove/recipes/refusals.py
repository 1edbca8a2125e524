"""The test that a request is refused as it should be."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from aiimprove.finding import Finding, Json
from aiimprove.recipes.clients import Client, new_test
from aiimprove.recipes.django_tests import new_case
from aiimprove.settings import Service


def refusal_test(tree: Path, service: Service, finding: Finding, status: int, said: str) -> dict[str, str]:
    """A file with a test that the finding's request is answered with exactly this status, by its path in the tree.

    Empty where it is not plain how a test gets a client with a database behind it. Raises Unsure.
    """
    details, request = finding.details, finding.probe.request
    name = named_test(str(details["method"]), str(details["route"]), str(details["parameter"]), said)
    if case := new_case(tree, service, name, _djangos(request, status)):
        return case
    asked = call(str(details["method"]).lower(), request)

    def body(client: Client) -> list[str]:
        return [] if client.bare else [f"refused = {client.name}.{asked}", f"assert refused.status_code == {status}"]

    return {path: text for path, text in new_test(tree, service, name, body).items() if "assert" in text}


def _djangos(request: Mapping[str, Json], status: int) -> list[str]:
    """The same in the words of Django's TestCase."""
    words = [json.dumps(request["path"])]
    if request.get("body"):
        words += [f"{request['body']!r}", 'content_type="application/json"']
    return [f"refused = self.client.{str(request['method']).lower()}({', '.join(words)})",
            f"self.assertEqual(refused.status_code, {status})"]


def named_test(*words: str) -> str:
    """The words as the name of a test, in small letters."""
    return re.sub(r"[^a-z0-9]+", "_", " ".join(words).lower().replace("/api/", "/")).strip("_")


def call(method: str, request: object) -> str:
    """How a test client sends a request."""
    assert isinstance(request, dict)
    words = [json.dumps(request["path"])]
    if method not in ("get", "delete") or not request.get("body"):
        words += [f"json={json.loads(request['body'])!r}"] if request.get("body") else []
        return f"{method}({', '.join(words)})"
    return f'request("{method.upper()}", {words[0]}, json={json.loads(request["body"])!r})'
