"""What of the built things stays: releases that somebody names, and what those are made of."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from aiimprove import vault
from aiimprove.build.locks import alone
from aiimprove.build.releases import load
from aiimprove.errors import NotFound
from aiimprove.release import Release
from aiimprove.settings import Config

GOING = ".going-"


def prune(config: Config, keep: Callable[[], Collection[str] | None]) -> list[str]:
    """Removes all releases but those that `keep` names, and what no kept one refers to; what was removed.

    `keep` is asked while nobody can build or begin to use a release, so nothing that it does not know yet goes; None
    means that nothing may go now. Does nothing while anybody builds. In there things are only moved aside: whoever
    wants to deploy meanwhile waits for milliseconds, and a removal that is broken off is finished the next time.
    """
    with alone(config.state_folder / "run" / "build.lock") as quiet:
        names = keep() if quiet else None
        gone = _move_aside(config, set(names)) if names is not None else []
    for path in _aside(config):
        shutil.rmtree(path, ignore_errors=True)
    return gone


def _move_aside(config: Config, keep: Collection[str]) -> list[str]:
    releases = _names(config.state_folder / "releases")
    kept = list(_loaded(config, releases & set(keep)))
    wanted = {
        "releases": {each.id for each in kept},
        "artifacts": {each for one in kept for each in one.services.values()},
        "dependencies": {each for one in kept for each in one.dependencies.values()},
    }
    gone = []
    for kind, names in wanted.items():
        for name in sorted(_names(config.state_folder / kind)):
            if name.removesuffix(".lock") not in names and not name.startswith(GOING):
                _take_away(config.state_folder / kind / name)
                gone += [name] if kind == "releases" else []
    vault.keep_only(config, {each.secrets for each in kept})
    return gone


def _loaded(config: Config, names: Collection[str]) -> Iterator[Release]:
    """A manifest that was cut off by a power failure belongs to nothing that could be started."""
    for name in names:
        try:
            yield load(config, name)
        except NotFound:
            continue


def _take_away(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rename(path.with_name(GOING + secrets.token_hex(6)))
    else:
        path.unlink(missing_ok=True)


def _aside(config: Config) -> list[Path]:
    return [path for kind in ("releases", "artifacts", "dependencies")
            for path in (config.state_folder / kind).glob(GOING + "*")]


def kept(config: Config) -> list[Release]:
    """Every release that is kept whole enough to be read, in no order."""
    return list(_loaded(config, _names(config.state_folder / "releases")))


def _names(folder: Path) -> set[str]:
    return set(os.listdir(folder)) if folder.is_dir() else set()
