"""The test that what a visitor sends is a value in a statement, whatever it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes.clients import Client, new_test
from aiimprove.recipes.django_tests import new_case
from aiimprove.recipes.refusals import call, django_call, named_test
from aiimprove.settings import Service

_ANSWERS = ("first", "second", "usual")


def attack_test(tree: Path, service: Service, finding: Finding) -> dict[str, str]:
    """A file with a test that both texts of the finding's probe are answered alike, and that what is usual is answered,
    by its path in the tree. Empty where it is not plain how a test gets a client with a database behind it. Raises
    Unsure."""
    details, request = finding.details, finding.probe.request
    method = str(details["method"]).lower()
    named = dict(zip(_ANSWERS, [request, request.get("other"), details["valid"]], strict=True))
    asked = {name: each for name, each in named.items() if each}
    name = named_test(method, str(details["route"]), str(details["parameter"]), "is_a_value")
    swap = _swapped(finding)
    same = [f"self.assertEqual(first.content{swap('b')}, second.content{swap('b')})"] if swap("") else []
    case = new_case(tree, service, name, [
        *(f"{word} = self.client.{django_call(each)}" for word, each in asked.items()),
        *(f"self.assertLess({word}.status_code, 500)" for word in asked), *same])

    def body(client: Client) -> list[str]:
        lines = [f"{word} = {client.name}.{call(method, each)}" for word, each in asked.items()]
        lines += [f"assert {word}.status_code < 500" for word in asked]
        lines += [f"assert first.text{swap('')} == second.text{swap('')}"] if swap("") else []
        return [] if client.bare else lines

    return case or {path: text for path, text in new_test(tree, service, name, body).items() if "assert" in text}


def _swapped(finding: Finding) -> Callable[[str], str]:
    """How an answer is read without the one word in which both texts differ; nothing where they differ otherwise. Takes
    what stands before a string, such as b for bytes."""
    words = [re.search(r"\w+$", text) for text in finding.probe.request.get("said", ())[:2]]
    one, two = [word[0] if word else "" for word in words] if len(words) == 2 else ("", "")
    return lambda prefix: f'.replace({prefix}"{two}", {prefix}"{one}")' if one and two and one != two else ""
