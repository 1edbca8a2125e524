"""Releases: built, renewed, used, and checked against what was built."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from aiimprove import disk, vault
from aiimprove.build import artifacts, dependencies, estimate, renewal
from aiimprove.build.locks import shared
from aiimprove.build.manifests import load, note, whole
from aiimprove.errors import BuildFailed, NotFound
from aiimprove.finding import digest_of
from aiimprove.launch import settings_now
from aiimprove.release import Release
from aiimprove.repository import Repository
from aiimprove.sandbox import Box
from aiimprove.settings import Config


def build(config: Config, repository: Repository, commit: str, box: Box, progress: Callable[[str], None], *,
          trusted: bool = False) -> Release:
    """The release of a commit, built now or at any time before. Services are built side by side.

    `trusted` says that a human wrote the commit: what its lock files ask for may be installed with the settings in
    the user's home. Raises BuildFailed with the end of the output; nothing half-made stays.
    """
    with shared(config.state_folder / "run" / "build.lock"):
        wanted = {name: dependencies.digest(config, repository, commit, name) for name in config.services}
        made = {name: artifacts.digest(config, repository, commit, name, wanted[name]) for name in config.services}
        release = Release("", commit, made, wanted, "", time.time(), settings_now(config), vault.keep(config))
        identity = renewal.name(release)
        if whole(config, identity):
            return load(config, identity)
        disk.must_fit(config, f"building commit {commit[:12]}", estimate.needed(config, made, wanted))
        install = dependencies.Install(config, repository, commit, box, trusted)
        builder = artifacts.Builder(config, repository, commit, box)

        def one(name: str) -> None:
            if not (config.state_folder / "artifacts" / made[name]).is_dir():
                progress(f"building {name}")
            install.run(name, wanted[name])
            builder.run(name, made[name], wanted[name])

        _together(one, list(config.services))
        return note(config, replace(release, id=identity, artifact=_digest(config, made)))


def renewed(config: Config, release: Release) -> Release:
    """The release with the present settings and env file; the very same when they have not changed."""
    fresh = renewal.as_today(config, release)
    return release if fresh is release else note(config, fresh)


@contextmanager
def in_use(config: Config, release: Release) -> Iterator[None]:
    """While the block runs, nothing is pruned. Raises NotFound when something of the release was pruned before."""
    with shared(config.state_folder / "run" / "build.lock"):
        if not whole(config, release.id):
            raise NotFound(f"release {release.id} is not kept any more: 'aiimprove releases' lists what is")
        yield


def _together(task: Callable[[str], None], names: Collection[str]) -> None:
    """Runs a task for every name at once, then raises what the first failure raised.

    An interrupt does not wait for the threads: they are daemons, and the programs they wait for end with us.
    """
    from multiprocessing.pool import ThreadPool

    with ThreadPool(max(1, len(names))) as pool:
        pool.map(task, names, chunksize=1)


def verify(config: Config, release: Release) -> None:
    """Reads every byte of a release again. Raises BuildFailed when it is not what was built and proven."""
    found = _digest(config, release.services)
    if found != release.artifact:
        raise BuildFailed(f"release {release.id} is not what was built: {found[:12]} instead of "
                          f"{release.artifact[:12]}")


def _digest(config: Config, services: Mapping[str, str]) -> str:
    folder = config.state_folder / "artifacts"
    return digest_of({name: artifacts.content_digest(folder / found) for name, found in services.items()})
