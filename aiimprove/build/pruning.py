"""What of the built things stays: releases that somebody names, and what those are made of."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from aiimprove import vault
from aiimprove.build.locks import alone
from aiimprove.build.manifests import kept
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
    staying = [each for each in kept(config) if each.id in keep]
    wanted = {
        "releases": {each.id for each in staying},
        "artifacts": {each for one in staying for each in one.services.values()},
        "dependencies": {each for one in staying for each in one.dependencies.values()},
    }
    gone = []
    for kind, names in wanted.items():
        for name in sorted(_names(config.state_folder / kind)):
            if name.removesuffix(".lock") not in names and not name.startswith(GOING):
                _take_away(config.state_folder / kind / name)
                gone += [name] if kind == "releases" else []
    vault.keep_only(config, {each.secrets for each in staying})
    return gone


def _take_away(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rename(path.with_name(GOING + secrets.token_hex(6)))
    else:
        path.unlink(missing_ok=True)


def _aside(config: Config) -> list[Path]:
    return [path for kind in ("releases", "artifacts", "dependencies")
            for path in (config.state_folder / kind).glob(GOING + "*")]


def _names(folder: Path) -> set[str]:
    return set(os.listdir(folder)) if folder.is_dir() else set()
