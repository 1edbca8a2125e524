"""How much of the disk the state folder takes, part by part; the last figure is kept for whoever asks often."""

from __future__ import annotations

import os
import time
from pathlib import Path

from aiimprove import disk
from aiimprove.finding import Json
from aiimprove.settings import Config
from aiimprove.workspace import Workspace

FOOTPRINT = "footprint"
PARTS = ("releases", "artifacts", "dependencies", "assets", "secrets", "data", "backups", "work", "events", "run",
         "recorded")
"""Folders of the state folder by their names; `database` is state.db and its copies, `logs` may stand elsewhere."""


def measure(workspace: Workspace) -> dict[str, Json]:
    """Measure now and keep the figure: `at` (unix seconds), `bytes`, and `parts` with the bytes of each."""
    parts = {name: disk.used(*paths).bytes for name, paths in _parts(workspace.config).items()}
    found = {"at": time.time(), "bytes": sum(parts.values()), "parts": parts}
    workspace.store.set_fact(FOOTPRINT, found)
    return found


def _parts(config: Config) -> dict[str, list[Path]]:
    state = config.state_folder
    named = {name: [state / name] for name in PARTS}
    known = {path for paths in named.values() for path in paths} | {config.logs_folder}
    here = [state / name for name in (os.listdir(state) if state.is_dir() else ())]
    database = [path for path in here if path.name.startswith("state.")]
    others = [path for path in here if path not in known and path not in database]
    return named | {"database": database, "logs": [config.logs_folder], "others": others}
