"""The test that a request is refused as it should be."""

from __future__ import annotations

import json
import re
from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes.clients import Client, new_test
from aiimprove.settings import Service


def refusal_test(tree: Path, service: Service, finding: Finding, status: int, said: str) -> dict[str, str]:
    """A file with a test that the finding's request is answered with exactly this status, by its path in the tree.

    Empty where it is not plain how a test gets a client with a database behind it. Raises Unsure.
    """
    details, asked = finding.details, call(str(finding.details["method"]).lower(), finding.probe.request)

    def body(client: Client) -> list[str]:
        return [] if client.bare else [f"refused = {client.name}.{asked}", f"assert refused.status_code == {status}"]

    files = new_test(tree, service, named_test(str(details["method"]), str(details["route"]),
                                              str(details["parameter"]), said), body)
    return {path: text for path, text in files.items() if "assert" in text}


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
