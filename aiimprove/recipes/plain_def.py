"""A handler that never awaits is run beside the others: `async def` becomes `def`."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path

import libcst as cst

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Patch, Unsure, written
from aiimprove.recipes.clients import NO_TEST, new_test
from aiimprove.recipes.imports import called
from aiimprove.recipes.routes import Endpoint, find
from aiimprove.recipes.sources import Source, python_sources, reparsed, service_of
from aiimprove.settings import Config

_AWAITS = re.compile(r"\b(await|async for|async with|yield)\b")
_OF_THE_LOOP = re.compile(r"\b(asyncio|anyio|trio|create_task|get_running_loop|BackgroundTasks|ContextVar)\b")


class PlainDef:
    """FastAPI runs a plain function in a thread of its own. Only where nothing in the handler awaits, where nobody else
    names it, and where it writes no global: threads would run that at the same time."""

    name = "plain_def"
    causes = ("blocked-event-loop",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service, known = service_of(finding, config), finding.details
    sources = python_sources(tree, service)
    handler = find(sources, str(known["method"]), str(known["route"]), str(known["operation"]))
    _refuse(handler, sources)
    name = handler.function.name.value
    module = handler.source.module.deep_replace(handler.function, handler.function.with_changes(asynchronous=None))
    assert isinstance(module, cst.Module)
    changed = reparsed(handler.source, module.code)
    test = new_test(tree, service, f"{name}_runs_beside_others", lambda client: [
        f'handlers = [each.endpoint for each in {client.name}.app.routes if each.name == "{name}"]',
        "assert handlers",
        "assert not any(inspect.iscoroutinefunction(handler) for handler in handlers)",
        *(f'assert inspect.signature(handlers[0]).parameters["{each}"].default == {value}'
          for each, value in _defaults(handler.function))], ("import inspect", ""))
    return Patch(f"Others are answered while {known['method']} {known['route']} runs.{'' if test else NO_TEST}",
                 {changed.path: changed.text} | test)


def _defaults(function: cst.FunctionDef) -> list[tuple[str, str]]:
    """Numbers that stand in the line that changes."""
    every = (*function.params.params, *function.params.kwonly_params)
    return [(each.name.value, each.default.value) for each in every if isinstance(each.default, cst.Integer)]


def _refuse(handler: Endpoint, sources: Sequence[Source]) -> None:
    """Raises Unsure unless the handler does the same as a plain function."""
    name, code = handler.function.name.value, handler.source.code(handler.function)
    if handler.function.asynchronous is None:
        raise Unsure(f"{name} is a plain function already; something else lets the others wait")
    if not any(called(source, "fastapi", each) for source in sources for each in ("FastAPI", "APIRouter")):
        raise Unsure("only FastAPI is known to run plain functions in threads")
    for pattern, said in ((_AWAITS, "awaits or yields"), (_OF_THE_LOOP, "speaks to the event loop")):
        if match := pattern.search(code):
            raise Unsure(f"{name} {said} ({match[0]})")
    if re.search(r"^\s*(global|nonlocal)\b", code, re.MULTILINE):
        raise Unsure(f"{name} writes what all requests share")
    if sum(_named(source, name) for source in sources) != 1:
        raise Unsure(f"{name} is named elsewhere too, perhaps to be awaited")


def _named(source: Source, name: str) -> int:
    """How often code says this name; words in texts do not count."""
    said = 0
    for node in ast.walk(ast.parse(source.text)):
        words = (getattr(node, "id", ""), getattr(node, "attr", ""), getattr(node, "name", ""),
                 getattr(node, "asname", ""))
        said += isinstance(node, (ast.Name, ast.Attribute, ast.alias, ast.FunctionDef, ast.AsyncFunctionDef)
                           ) and name in words
    return said
