"""Who installs the packages of a Node service, and from which files."""

from __future__ import annotations

import re
from typing import Any

from aiimprove.recognition.seen import Seen, Values
from aiimprove.recognition.sources import Sources

_LOCKS = {"package-lock.json": "npm", "npm-shrinkwrap.json": "npm", "pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn",
          "bun.lock": "bun", "bun.lockb": "bun"}
_BESIDE = (".npmrc", ".yarnrc", ".yarnrc.yml", "pnpm-workspace.yaml")
_USUAL = {"pnpm": "9", "yarn": "1", "bun": "1"}


def names(package: dict[str, Any]) -> set[str]:
    """Every package that package.json asks for."""
    return {name for kind in ("dependencies", "devDependencies") for name in package.get(kind) or {}}


def values(at: Sources, package: dict[str, Any]) -> Values:
    """The keys of the config that install them."""
    lock = at.first(*_LOCKS)
    manager = str(package.get("packageManager") or _LOCKS.get(lock, "npm"))
    where = at.where(lock or "package.json")
    files = ["package.json", *([lock] if lock else []), *(each for each in _BESIDE if at.has(each)),
             *_workspaces(at, package)]
    return {"runtime": Seen("node", where),
            "lock_files": Seen(files, f"{manager.partition('@')[0]}: installed again only when these change"),
            "install": Seen(_install(manager, bool(lock)), where if lock else
                            f"{where}; without a lock file beside it, versions change: commit one")}


def _install(manager: str, locked: bool) -> list[str]:
    name, _, version = re.sub(r"\+.*", "", manager).partition("@")
    if name == "npm":
        return ["npm", "ci" if locked else "install", "--no-audit", "--no-fund"]
    frozen = ["--immutable"] if name == "yarn" and version[:1] in "234" and version else ["--frozen-lockfile"]
    package = "@yarnpkg/cli-dist" if frozen == ["--immutable"] else name
    return ["npx", "--yes", "--package", f"{package}@{version or _USUAL[name]}", name, "install",
            *(frozen if locked else [])]


def _workspaces(at: Sources, package: dict[str, Any]) -> list[str]:
    """The package.json of each workspace: the lock names them all."""
    if not package.get("workspaces") and not at.has("pnpm-workspace.yaml"):
        return []
    return [path for path in at.named("package.json") if path != "package.json" and path.count("/") <= 3]
