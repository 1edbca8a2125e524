"""Everything that a stage works with, opened once and when first needed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from aiimprove.build import load
from aiimprove.door import FOLDER
from aiimprove.errors import Refused
from aiimprove.gateway import Gateway
from aiimprove.launch import Launch
from aiimprove.lock import end_stopped_writers
from aiimprove.release import Environment, Release
from aiimprove.repository import Repository
from aiimprove.sandbox import Box, boxed, find_box, hidden
from aiimprove.settings import Config
from aiimprove.slots import Slots
from aiimprove.store import Store

LIVE_RELEASE, LIVE_COMMIT = "live_release", "live_commit"
DEV_RELEASE, DEV_IMPROVEMENT = "dev_release", "dev_improvement"
GATE = "gate"
"""The fact that says whether the gate is open; `gate` writes it."""


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
        file = self.config.state_folder / "state.db"
        end_stopped_writers(file)
        return Store(file)

    @cached_property
    def repository(self) -> Repository:
        return Repository(self.config.repository, self.config.state_folder / "work" / "git")

    @cached_property
    def gateway(self) -> Gateway:
        return Gateway(self.config)

    @cached_property
    def slots(self) -> Slots:
        return Slots(self.config, self._dressed)

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

    def _dressed(self, started: Launch, environment: Environment) -> Launch:
        """Dev runs what nobody approved: in the box. Live does not see the state folder; its service with the button
        may ask us through the door."""
        if environment is Environment.DEV:
            data = [started.writable] if started.writable else []
            argv, env = boxed(self.box, started, writable=data, network="host")
            return replace(started, argv=tuple(argv), env=env)
        if started.service == self.config.approvals:
            door = self.config.state_folder / FOLDER
            door.mkdir(parents=True, exist_ok=True, mode=0o700)
            started = replace(started, env=dict(started.env) | self._web_env(), readable=(*started.readable, door))
        ours = [self.config.repository, Path(sys.prefix), Path(__file__).parent.parent]
        argv, env = hidden(started, self.config.state_folder, kept=ours, writable=started.further)
        return replace(started, argv=tuple(argv), env=env)

    def _web_env(self) -> dict[str, str]:
        port = self.config.services[self.config.approvals].live_port
        origins = self.config.origins or [f"http://{host}:{port}" for host in ("localhost", self.config.host)]
        return {"AIIMPROVE_BIN": str(Path(sys.executable).with_name("aiimprove")),
                "AIIMPROVE_REPOSITORY": str(self.config.repository),
                "AIIMPROVE_DOOR": str(self.config.state_folder / FOLDER),
                "AIIMPROVE_ORIGINS": ",".join(dict.fromkeys(origins))}

    def live(self) -> Release:
        """The release that serves. Raises Refused when nothing is live yet."""
        found = self.store.fact(LIVE_RELEASE)
        if not found:
            raise Refused("nothing is live yet: 'aiimprove up' puts the commit of HEAD live")
        return load(self.config, str(found))
