"""Who asks another server waits for ten seconds at most: timeout=10 where there was none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import libcst as cst

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Patch, Unsure, written
from aiimprove.recipes.arguments import appended
from aiimprove.recipes.clients import NO_TEST, Client, new_test
from aiimprove.recipes.django_tests import new_case
from aiimprove.recipes.refusals import call, django_call, named_test
from aiimprove.recipes.sources import Source, argument, dotted, python_sources, reparsed, service_of
from aiimprove.settings import Config, Service

SECONDS = 10
_URLOPEN = "urlopen"


class OutgoingTimeout:
    """Each call of the function that the finding names. Refuses where the lines have changed since it was found."""

    name = "outgoing_timeout"
    causes = ("no-timeout",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service, known = service_of(finding, config), finding.details
    path = str(PurePosixPath(service.folder) / str(known["file"]))
    source = next((each for each in python_sources(tree, service) if each.path == path), None)
    if source is None:
        raise Unsure(f"{path} is not among the app's own files")
    wanted = set(zip(known["lines"], known["calls"], strict=True))
    found = [each for each in _calls(source) if (source.lines(each).start.line, dotted(each.func)) in wanted
             and argument(each, "timeout") is None]
    if len(found) != len(wanted):
        raise Unsure(f"the calls of {known['function']} do not stand where they were found")
    module = source.module.visit(_Timed(found))
    assert isinstance(module, cst.Module)
    changed = reparsed(source, module.code)
    test = _test(tree, service, finding)
    return Patch(f"{known['function']} waits for {SECONDS} seconds at most for the server that it asks."
                 f"{'' if test else NO_TEST}", {changed.path: changed.text} | test)


def _calls(source: Source) -> list[cst.Call]:
    found: list[cst.Call] = []

    class Calls(cst.CSTVisitor):
        def visit_Call(self, node: cst.Call) -> None:
            found.append(node)

    source.module.visit(Calls())
    return found


class _Timed(cst.CSTTransformer):
    def __init__(self, calls: Sequence[cst.Call]) -> None:
        super().__init__()
        self._calls = {id(each) for each in calls}

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        if id(original_node) not in self._calls:
            return updated_node
        return appended(updated_node, cst.Arg(cst.Integer(str(SECONDS)), cst.Name("timeout"), equal=cst.AssignEqual(
            cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))))


def _test(tree: Path, service: Service, finding: Finding) -> dict[str, str]:
    """A test that notes how long the app would wait, and answers with a timeout in the other server's place."""
    method, asked = str(finding.details["method"]), dict(finding.probe.request)
    name = named_test(method, str(finding.details["route"]), "does_not_wait_for_ever")
    opens = any(str(each).endswith(_URLOPEN) for each in finding.details["calls"])
    patched, error, said = (
        ("urllib.request.OpenerDirector.open", "urllib.error.URLError", "each.args[-1]") if opens else
        ("requests.Session.request", "requests.RequestException", 'each.kwargs.get("timeout")'))
    raised = 'urllib.error.URLError("silent")' if opens else "requests.ConnectTimeout"
    imports = ("from contextlib import suppress", "from unittest.mock import patch", "",
               *(("import urllib.error",) if opens else ("import requests",)), "")

    def body(sent: str, equal: str) -> list[str]:
        return [f'with patch("{patched}", side_effect={raised}) as asked, suppress({error}):', f"    {sent}",
                equal.format(f"[{said} for each in asked.call_args_list[:1]]", f"[{SECONDS}]")]

    case = new_case(tree, service, name, body(f"self.client.{django_call(asked)}", "self.assertEqual({}, {})"),
                    (*imports, "from django.test import TestCase"))

    def lines(client: Client) -> list[str]:
        return body(f"{client.name}.{call(method.lower(), asked)}", "assert {} == {}") if not client.bare else []

    made = case or new_test(tree, service, name, lines, imports)
    return {path: text for path, text in made.items() if "assert" in text}
