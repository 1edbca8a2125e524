"""Everything that a stage works with, opened once and when first needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from aiimprove.build import load
from aiimprove.errors import Refused
from aiimprove.gateway import Gateway
from aiimprove.release import Release
from aiimprove.repository import Repository
from aiimprove.sandbox import Box, find_box
from aiimprove.settings import Config
from aiimprove.store import Store

LIVE_RELEASE = "live_release"
DEV_RELEASE = "dev_release"


def quiet(message: str) -> None:
    """No progress is shown."""


@dataclass(frozen=True)
class Workspace:
    """`progress` takes short sentences about long work; `performer` is who acts, for the events."""

    config: Config
    performer: str = "terminal"
    progress: Callable[[str], None] = quiet

    @cached_property
    def store(self) -> Store:
        return Store(self.config.state_folder / "state.db")

    @cached_property
    def repository(self) -> Repository:
        return Repository(self.config.repository)

    @cached_property
    def gateway(self) -> Gateway:
        return Gateway(self.config)

    @cached_property
    def box(self) -> Box:
        return find_box()

    def data(self, environment: str) -> Path:
        return self.config.state_folder / "data" / environment

    def work(self, name: str) -> Path:
        """A scratch folder of one piece of work."""
        folder = self.config.state_folder / "work" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def live(self) -> Release:
        """The release that serves. Raises Refused when nothing is live yet."""
        found = self.store.fact(LIVE_RELEASE)
        if not found:
            raise Refused("nothing is live yet: 'aiimprove up' puts the commit of HEAD live")
        return load(self.config, str(found))
