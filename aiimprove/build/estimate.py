"""What a build will take on the disk, guessed by what the last builds of the same services left there."""

from __future__ import annotations

from collections.abc import Mapping

from aiimprove import disk
from aiimprove.build.manifests import kept
from aiimprove.settings import Config

_BUILT_TWICE = 2
"""The tree that is built in, and what is kept of it."""


def needed(config: Config, artifacts: Mapping[str, str], dependencies: Mapping[str, str]) -> disk.Amount:
    """About what building these would add; nothing for what is there already, or was never built before."""
    last = {"artifacts": dict[str, str](), "dependencies": dict[str, str]()}
    for release in sorted(kept(config), key=lambda each: each.made):
        last["artifacts"] |= release.services
        last["dependencies"] |= release.dependencies
    total = disk.Amount()
    for kind, wanted, times in (("artifacts", artifacts, _BUILT_TWICE), ("dependencies", dependencies, 1)):
        folder = config.state_folder / kind
        for name, digest in wanted.items():
            if digest and not (folder / digest).is_dir() and last[kind].get(name):
                total += disk.used(folder / last[kind][name]) * times
    return total
