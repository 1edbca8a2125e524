"""Recognises a stranger's app: which services it has, and how each is installed, started, tested and asked.

Everything is read from the files, as data: nothing of the app is imported or run. An ecosystem is a module below this
package, named in ECOSYSTEMS, with `recognise(at, name)`; the first that knows a folder has it.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol, cast

from aiimprove.recognition.ports import FRONT, with_ports
from aiimprove.recognition.seen import Recognised, Seen, Service
from aiimprove.recognition.sources import Sources

ECOSYSTEMS = ("django", "python", "node", "static")
_NOT = ("docs", "doc", "examples", "example", "tests", "test", "e2e", "scripts", "tools", "infra", "deploy",
        "benchmarks", "docs_src")


class Ecosystem(Protocol):
    """Knows the services of one kind."""

    def recognise(self, at: Sources, name: str) -> Service | None: ...


def recognise(folder: Path, name: str, taken: Callable[[int], bool] = lambda port: False) -> Recognised:
    """The app in a folder of plain files; without services when nothing in it is known. `taken` says which ports
    others listen on. Nothing is started."""
    at = Sources(folder)
    found = list(_services(at))
    linked = [_linked(each, found) for each in found]
    return Recognised(_name(at, name), with_ports(at, linked, taken), tuple(_said(at, found)))


def _services(at: Sources) -> Iterator[Service]:
    names: set[str] = set()
    for folder, kinds in _places(at):
        inner = at.at(folder)
        for kind in kinds:
            known = cast(Ecosystem, importlib.import_module(f"aiimprove.recognition.{kind}"))
            service = known.recognise(inner, _free_name(folder, kind, names))
            if service is not None:
                names.add(service.name)
                yield service
                break


def _places(at: Sources) -> list[tuple[str, tuple[str, ...]]]:
    """The folders that may hold a service, with the ecosystems that may know it; pages alone only without others."""
    python: tuple[str, ...] = ("django", "python")
    node: tuple[str, ...] = ("node",)
    folders = sorted({path.rpartition("/")[0] for path in at.files if path.count("/") <= 2
                      and not any(part in _NOT for part in path.split("/")[:-1])} - {""})
    inner_python = [each for each in folders if _declares(at, each)]
    inner_node = [each for each in folders if at.has(f"{each}/package.json")]
    wanted: list[tuple[str, tuple[str, ...]]] = [] if inner_python and not _declares(at, "") else [("", python)]
    wanted += [] if wanted and _declares(at, "") else [(each, python) for each in _outer(inner_python)]
    wanted += [("", node)] if at.has("package.json") else []
    wanted += [(each, node) for each in inner_node]
    pages = [each for each in folders if each in FRONT and at.has(f"{each}/index.html") and each not in inner_node]
    return [*wanted, *((each, ("static",)) for each in pages), *([] if inner_python or inner_node or _served(at) else [
        ("", ("static",))])]


def _served(at: Sources) -> bool:
    return at.has("package.json") or any(True for _ in at.ending(".py"))


def _declares(at: Sources, folder: str) -> bool:
    """Whether a folder says what a Python service of its own needs."""
    inner = at.at(folder)
    project = inner.toml("pyproject.toml")
    return bool(inner.first("requirements.txt", "Pipfile", "setup.py", "manage.py", "requirements/base.txt")
                or project.get("project", {}).get("dependencies") or project.get("tool", {}).get("poetry"))


def _outer(folders: list[str]) -> list[str]:
    return [each for each in folders if not any(each.startswith(f"{other}/") for other in folders)]


def _free_name(folder: str, kind: str, names: set[str]) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.rpartition("/")[2]).strip("-_0123456789")
    wanted = plain or {"node": "web", "static": "web"}.get(kind, "app")
    return next(each for each in (wanted, *(f"{wanted}-{number}" for number in range(2, 99))) if each not in names)


def _name(at: Sources, folder: str) -> Seen:
    """The name on cards: of the project, else of its folder."""
    project = at.toml("pyproject.toml")
    told = str(project.get("project", {}).get("name") or project.get("tool", {}).get("poetry", {}).get("name") or "")
    node = str(at.json("package.json").get("name") or "")
    name, where = (told, "pyproject.toml") if told else (node, "package.json") if node else (
        folder, "the folder's name")
    return Seen(re.sub(r"[^A-Za-z0-9]+", "-", name.rpartition("/")[2]).strip("-")[:40] or "app", where)


def _linked(service: Service, others: list[Service]) -> Service:
    """A variable whose default is an address of this machine leads to the service beside it."""
    backend = next((each for each in others if each.name != service.name and not each.front), None)
    env = {}
    for key, seen in service.env.items():
        address = re.match(r"https?://(?:localhost|127\.0\.0\.1|backend|api|server)(?::\d+)?", str(seen.value))
        if address and backend:
            rest = str(seen.value)[address.end():]
            env[key] = Seen(f"http://127.0.0.1:{{{backend.name}.port}}{rest}", f"{seen.where} reads it")
        elif not address:
            env[key] = seen
    return replace(service, env=env)


def _said(at: Sources, found: list[Service]) -> Iterator[str]:
    if at.has(".gitmodules"):
        yield ".gitmodules: submodules are not released; what stands in them is missing in a release"
    if any(each.folder == "." for each in found) and (at.json("package.json").get("workspaces")
                                                      or at.has("pnpm-workspace.yaml")):
        yield "package.json has workspaces: those that import one another are not linked in a release"
    nodes = [each for each in found if "runtime" in each.values and each.values["runtime"].value == "node"]
    if found and not nodes and "build" in (at.json("package.json").get("scripts") or {}):
        yield ("package.json builds files for the pages ('npm run build'); a release does not run that beside Python: "
               "commit what it makes")
