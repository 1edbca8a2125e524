"""The hashed files of releases that served a while ago: a page that was loaded before a switch still asks for them.

They are kept in state/assets/<service>/<artifact>/<public path>, as links to what the release was built as, so that
they outlive its slot, its artifact and its record. The gateway looks there when a service answers 404.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from aiimprove.launch import service_folder
from aiimprove.release import Release
from aiimprove.settings import Config

MOST_KEPT = 200
_HOUR = 3600.0


def folder(config: Config, service: str) -> Path:
    return config.state_folder / "assets" / service


def keep(config: Config, releases: Collection[Release]) -> None:
    """Notes that these releases serve now, and keeps their files. Raises OSError on a full disk."""
    for release in releases:
        for name, service in config.services.items():
            if service.assets and name in release.services:
                _keep(config, release, name)


def prune(config: Config, serving: Collection[Release]) -> None:
    """Removes what has not served for `deploy.assets_hours`, and the oldest of very many."""
    keep(config, serving)
    oldest = time.time() - config.deploy.assets_hours * _HOUR
    for name in config.services:
        for number, kept in enumerate(sorted(_kept(config, name), key=os.path.getmtime, reverse=True)):
            if os.path.getmtime(kept) < oldest or number >= MOST_KEPT:
                shutil.rmtree(kept, ignore_errors=True)


def _kept(config: Config, service: str) -> Iterator[Path]:
    with suppress(FileNotFoundError):
        yield from folder(config, service).iterdir()


def _keep(config: Config, release: Release, name: str) -> None:
    kept = folder(config, name) / release.services[name]
    if not kept.is_dir():
        draft = kept.with_name(f".{kept.name}.{secrets.token_hex(4)}")
        draft.mkdir(parents=True)
        try:
            for public, source in config.services[name].assets.items():
                _link(service_folder(config, release, name) / source, draft / public.strip("/"))
            draft.rename(kept)
        except FileExistsError:
            pass  # somebody else was quicker
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    os.utime(kept)


def _link(source: Path, target: Path) -> None:
    """The plain files of a folder; nothing that points elsewhere."""
    target.mkdir(parents=True, exist_ok=True)
    for here, _, names in os.walk(source):
        inside = target / Path(here).relative_to(source)
        inside.mkdir(parents=True, exist_ok=True)
        for file in (Path(here) / name for name in names):
            if file.is_file() and not file.is_symlink():
                _one(file, inside / file.name)


def _one(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:  # another file system, or too many links
        shutil.copy2(file, target)
