"""What a release runs: one built folder for each service, kept by what it is made of."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiimprove.build.step import Step, scratch, take
from aiimprove.errors import BuildFailed
from aiimprove.finding import digest_of
from aiimprove.launch import fill
from aiimprove.repository import Repository
from aiimprove.sandbox import Box
from aiimprove.settings import Config, Service

CACHES = frozenset({".pytest_cache", ".mypy_cache", ".ruff_cache"})
MODULES = "node_modules"
SCRATCH = (".vite-temp", ".vite", ".cache")
"""Folders in node_modules that are no modules."""


def source_paths(service: Service) -> list[str]:
    return list(service.sources) or [service.folder]


def digest(config: Config, repository: Repository, commit: str, name: str, dependencies: str) -> str:
    """What the artifact of a service in a commit is kept under."""
    service = config.services[name]
    trees = {path: repository.tree(commit, path) for path in source_paths(service)}
    return digest_of([trees, service.folder, service.build, service.artifact, dependencies])


@dataclass(frozen=True)
class Builder:
    """Builds services of one commit, each in a fresh export of it, in the box, without a network."""

    config: Config
    repository: Repository
    commit: str
    box: Box

    def run(self, name: str, found: str, dependencies: str) -> None:
        """Makes sure that `artifacts/<found>` is there. Raises BuildFailed; never leaves half of one."""
        final = self.config.state_folder / "artifacts" / found
        if final.is_dir():
            return
        with scratch(final.with_name(f".building-{found[:12]}-{secrets.token_hex(4)}")) as work:
            kept = self._build(name, work, self._folder(dependencies), found)
            _refuse_odd(kept, self._folder(dependencies))
            _put(kept, final)

    def _folder(self, dependencies: str) -> Path | None:
        return self.config.state_folder / "dependencies" / dependencies if dependencies else None

    def _build(self, name: str, work: Path, dependencies: Path | None, found: str) -> Path:
        service, tree = self.config.services[name], work / "tree"
        self.repository.export(self.commit, tree, source_paths(service))
        folder = tree / service.folder
        if not folder.is_dir():
            raise BuildFailed(f"{name}: the folder {service.folder} is not in commit {self.commit[:12]}")
        mounts = _modules(self.box, folder, dependencies, work / "home")
        if service.build:
            take(_step(name, service, work, folder, dependencies, mounts), self.box, self.config.proof.build_seconds,
                 self.config.logs_folder / f"build-{name}-{found[:8]}.log")
        kept = folder / service.artifact if service.artifact else tree
        if not kept.is_dir() or kept.is_symlink():
            raise BuildFailed(f"the build of {name} made no {service.artifact}")
        if not service.artifact:
            _tidy(tree, folder, dependencies)
        return kept


def _step(name: str, service: Service, work: Path, folder: Path, dependencies: Path | None,
          mounts: Mapping[Path, Path]) -> Step:
    values = {"folder": str(folder), "dependencies": str(dependencies or ""),
              "python": str(dependencies / "bin" / "python") if dependencies else "python3"}
    first = [dependencies / "bin", dependencies / MODULES / ".bin"] if dependencies else []
    return Step("the build", name, fill(service.build, values), folder, work / "home", first, [work / "tree"],
                [dependencies] if dependencies else [], mounts)


def _modules(box: Box, folder: Path, dependencies: Path | None, scratch: Path) -> dict[Path, Path]:
    """Node looks for its modules beside the code: shown there read-only but for what is `scratch`, or copied where
    nothing can be shown."""
    source = dependencies / MODULES if dependencies else None
    if source is None or not source.is_dir():
        return {}
    target = folder / MODULES
    if box.name == "bubblewrap":
        target.mkdir(exist_ok=True)
        return {target: source, **{target / name: _scratch_of(source, name, scratch) for name in SCRATCH}}
    shutil.copytree(source, target, symlinks=True)
    return {}


def _scratch_of(source: Path, name: str, scratch: Path) -> Path:
    """Bundlers write there while they build; what may be written must be there to be covered."""
    (source / name).mkdir(exist_ok=True)
    (scratch / name).mkdir(parents=True, exist_ok=True)
    return scratch / name


def _tidy(tree: Path, folder: Path, dependencies: Path | None) -> None:
    modules = folder / MODULES
    if dependencies and (dependencies / MODULES).is_dir():
        shutil.rmtree(modules, ignore_errors=True)
        modules.symlink_to(dependencies / MODULES)
    for path in [each for each in tree.rglob("*") if each.name in CACHES and not each.is_symlink()]:
        shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(folder / ".next" / "cache", ignore_errors=True)


def _refuse_odd(kept: Path, dependencies: Path | None) -> None:
    """A build is foreign code too: it must not leave links to elsewhere, pipes, or programs that change user."""
    homes = [kept.resolve()] + ([dependencies.resolve()] if dependencies else [])
    for path in _walk(kept):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            if not any(path.resolve().is_relative_to(home) for home in homes):
                raise BuildFailed(f"the build made a link that leaves its folder: {path.relative_to(kept)}")
        elif stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            path.chmod(0o755 if stat.S_ISDIR(mode) or mode & stat.S_IXUSR else 0o644)
        else:
            raise BuildFailed(f"the build made something that is no file: {path.relative_to(kept)}")


def _put(kept: Path, final: Path) -> None:
    try:
        kept.rename(final)
    except OSError:
        if not final.is_dir():
            raise


def _walk(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        yield from (Path(here) / name for name in (*folders, *files))


def content_digest(folder: Path) -> str:
    """SHA-256 over everything in a folder: paths, kinds, who may execute, and every byte."""
    total = hashlib.sha256()
    for path in sorted(_walk(folder)):
        mode = path.lstat().st_mode
        kind = "link" if stat.S_ISLNK(mode) else "folder" if stat.S_ISDIR(mode) else f"file {mode & 0o111:o}"
        total.update(f"{path.relative_to(folder)}\0{kind}\0".encode("utf-8", "surrogateescape"))
        if kind == "link":
            total.update(os.fsencode(os.readlink(path)))
        elif kind != "folder":
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
