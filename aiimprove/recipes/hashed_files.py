"""Files with a hash in their names, kept by browsers for a year: a middleware around a FastAPI or Starlette app."""

from __future__ import annotations

from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.hashed import HASHED
from aiimprove.recipes import Declined, Draft, Patch, written
from aiimprove.recipes.apps import free_name, made_in, refuse, with_middleware
from aiimprove.recipes.clients import NO_TEST, Client, new_test
from aiimprove.recipes.imports import with_module, with_name
from aiimprove.recipes.sources import python_sources, service_of
from aiimprove.settings import Config, Service

KEPT = "public, max-age=31536000, immutable"
CONSTANT, _NAME = "HASHED_NAME", "KeepHashedFiles"
CLAIM = "Browsers keep files whose names hold a hash of what is in them; all others are asked for as before."


class HashedFiles:
    """Only names that hold a hash get the header, and only where a file was found. Refuses where the app speaks of such
    files already."""

    name = "hashed_files"
    causes = ("hashed-not-kept",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service = service_of(finding, config)
    sources = python_sources(tree, service)
    made = made_in(sources, service)
    refuse(sources, ("immutable", "whitenoise"), "the app keeps files already")
    name, constant = free_name(made.source, _NAME), free_name(made.source, CONSTANT)
    source, headers = with_name(made.source, "starlette.datastructures", "MutableHeaders")
    types = {}
    for each in ("ASGIApp", "Message", "Receive", "Scope", "Send"):
        source, types[each] = with_name(source, "starlette.types", each)
    source = with_module(source, "re")
    changed = with_middleware(made, name, source, [
        f'{constant} = re.compile(r"{HASHED}")', "", "", *_middleware(name, constant, headers, types)])
    test = kept_test(tree, service, finding, asgi=True)
    return Patch(f"{CLAIM}{'' if test else NO_TEST}", {changed.path: changed.text} | test)


def kept_test(tree: Path, service: Service, finding: Finding, asgi: bool) -> dict[str, str]:
    """A test that a file is kept, and that what is not there is not; empty where the file is made by a build."""
    path = str(finding.details["path"]).partition("?")[0]
    here = [each for each in (tree / service.folder).rglob(path.rpartition("/")[2]) if each.is_file()]

    def body(client: Client) -> list[str]:
        return [f'kept = {client.name}.get("{path}")', f'assert kept.headers["Cache-Control"] == "{KEPT}"',
                f'missing = {client.name}.get("{path.rpartition("/")[0]}/gone-0a1b2c3d4e.js")',
                'assert "immutable" not in missing.headers.get("Cache-Control", "")']

    return new_test(tree, service, "hashed_files_are_kept", body, asgi=asgi) if here else {}


def _middleware(name: str, constant: str, headers: str, types: dict[str, str]) -> list[str]:
    return f'''class {name}:
    """Lets browsers keep files whose names change with what is in them."""

    def __init__(self, app: {types["ASGIApp"]}) -> None:
        self.app = app

    async def __call__(self, scope: {types["Scope"]}, receive: {types["Receive"]}, send: {types["Send"]}) -> None:
        async def send_kept(message: {types["Message"]}) -> None:
            if message.get("status") == 200 and "headers" in message:
                if {constant}.search(scope["path"]):
                    {headers}(scope=message).setdefault("Cache-Control", "{KEPT}")
            await send(message)

        await self.app(scope, receive, send_kept)'''.splitlines()
