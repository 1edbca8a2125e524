"""The sources of a service as its developers have them, for its tests."""

from __future__ import annotations

from pathlib import Path

from aiimprove.build import artifacts, dependencies
from aiimprove.repository import Repository
from aiimprove.sandbox import find_box
from aiimprove.settings import Config


def sources(config: Config, repository: Repository, commit: str, destination: Path, name: str) -> Path:
    """Exports a service of a commit below `destination`, its dependencies in place; returns the service's folder.

    Raises BuildFailed when dependencies that are not there yet cannot be installed.
    """
    service = config.services[name]
    found = dependencies.digest(config, repository, commit, name)
    dependencies.Install(config, repository, commit, find_box()).run(name, found)
    paths = dict.fromkeys([*artifacts.source_paths(service), service.folder])
    repository.export(commit, destination, list(paths))
    folder = destination / service.folder
    folder.mkdir(parents=True, exist_ok=True)
    modules = config.state_folder / "dependencies" / found / artifacts.MODULES
    if found and modules.is_dir() and not (folder / artifacts.MODULES).exists():
        (folder / artifacts.MODULES).symlink_to(modules)
    return folder
