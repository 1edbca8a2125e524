"""What live looked like at the last look for findings, so that the same is not looked at again and again."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from aiimprove.workspace import LIVE_COMMIT, Workspace

LOOKED = "looked"
LOOK_AGAIN_SECONDS = 3600.0
ERROR_SIGNS = (b"Traceback", b"ERROR", b"Error:")
MOST_BYTES = 4 << 20


def note(workspace: Workspace, seen: dict[str, Any]) -> None:
    """Remember what was looked at."""
    workspace.store.set_fact(LOOKED, seen | {"at": time.time()})


def now(workspace: Workspace) -> dict[str, Any]:
    """What a look depends on: the commit, the errors in the services' logs, and their data."""
    config, data = workspace.config, workspace.data("live")
    logs = [config.logs_folder / f"live_{name}.log" for name in config.services]
    files = [data / each for service in config.services.values() for each in service.databases]
    changed = [file for each in files for file in (each, each.with_name(each.name + "-wal")) if file.exists()]
    return {"commit": workspace.store.fact(LIVE_COMMIT), "data": [os.stat(file).st_mtime for file in changed],
            "logs": [_errors(log) for log in logs if log.exists()]}


def _errors(log: Path) -> int:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - MOST_BYTES))
        text = file.read()
    return sum(text.count(sign) for sign in ERROR_SIGNS)


def worth_it(workspace: Workspace) -> bool:
    """Live moved or logged errors since the last look; or its data did, and the last look is an hour old."""
    last, seen = workspace.store.fact(LOOKED), now(workspace)
    if not last or (last["commit"], last["logs"]) != (seen["commit"], seen["logs"]):
        return True
    return bool(last["data"] != seen["data"]) and abs(time.time() - last["at"]) > LOOK_AGAIN_SECONDS
