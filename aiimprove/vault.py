"""The live env file as it was when a release was made: kept by its content, so that a rollback brings it back."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from pathlib import Path

from aiimprove import atomic
from aiimprove.config import read_env_file
from aiimprove.errors import ReleaseFailed
from aiimprove.release import Release
from aiimprove.settings import Config

FOLDER = "secrets"


def digest(config: Config) -> str:
    """The name under which the present live env file is or would be kept; empty when the config names none.

    Raises ConfigError when it is missing or open to others.
    """
    return _name(_content(config))


def keep(config: Config) -> str:
    """Make sure that a copy of the present live env file is kept, readable by its owner alone, and return its name."""
    content = _content(config)
    name = _name(content)
    file = config.state_folder / FOLDER / name
    if content is not None and not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        atomic.write_durably(file, content, mode=0o600)
    return name


def live_env(config: Config, release: Release) -> dict[str, str]:
    """The variables of the live env file as they were with this release. Raises ReleaseFailed when they are lost."""
    if not release.settings:
        return read_env_file(config.env_file.live)
    if not release.secrets:
        return {}
    file = config.state_folder / FOLDER / release.secrets
    try:
        whole = hashlib.sha256(file.read_bytes()).hexdigest() == release.secrets
    except OSError:
        whole = False
    if not whole:
        raise ReleaseFailed(f"the env file that release {release.id} was made with is not kept whole in {file.parent}: "
                            "'aiimprove rollback --present-env' starts it with the present one")
    return read_env_file(str(file))


def keep_only(config: Config, names: Collection[str]) -> list[str]:
    """Remove the copies that nothing refers to any more; their names."""
    folder = config.state_folder / FOLDER
    gone = sorted(set(os.listdir(folder)) - set(names)) if folder.is_dir() else []
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    return gone


def _name(content: bytes | None) -> str:
    return hashlib.sha256(content).hexdigest() if content is not None else ""


def _content(config: Config) -> bytes | None:
    if not config.env_file.live:
        return None
    read_env_file(config.env_file.live)
    return Path(config.env_file.live).expanduser().read_bytes()
