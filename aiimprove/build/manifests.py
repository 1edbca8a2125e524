"""What is written down about a release, in releases/<id>/manifest.toml."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import suppress

import tomli_w

from aiimprove import atomic
from aiimprove.errors import NotFound
from aiimprove.release import Release
from aiimprove.settings import Config

MANIFEST = "manifest.toml"


def load(config: Config, release_id: str) -> Release:
    """A release that was built before. Raises NotFound."""
    try:
        table = tomllib.loads((config.state_folder / "releases" / release_id / MANIFEST).read_text("utf-8"))
        return Release.from_json(table)
    except (OSError, tomllib.TOMLDecodeError, TypeError):
        raise NotFound(f"there is no release {release_id}") from None


def kept(config: Config) -> list[Release]:
    """Every release that is kept and can be read, in no order."""
    folder = config.state_folder / "releases"
    return list(_read(config, os.listdir(folder) if folder.is_dir() else ()))


def _read(config: Config, names: Iterable[str]) -> Iterator[Release]:
    """A manifest that was cut off by a power failure belongs to nothing that could be started."""
    for name in (each for each in names if not each.startswith(".")):
        with suppress(NotFound):
            yield load(config, name)


def whole(config: Config, release_id: str) -> bool:
    """Whether everything that a release is made of is there."""
    try:
        release = load(config, release_id)
    except NotFound:
        return False
    state = config.state_folder
    return all((state / "artifacts" / each).is_dir() for each in release.services.values()) and all(
        (state / "dependencies" / each / ".complete").exists() for each in release.dependencies.values() if each)


def note(config: Config, release: Release) -> Release:
    """Write a release down; from then on it is one."""
    file = config.state_folder / "releases" / release.id / MANIFEST
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_durably(file, tomli_w.dumps(release.to_json()))
    return release
