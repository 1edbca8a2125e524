"""`python -m aiimprove.renewal`: the code that is installed now takes over from the code that runs, while the site
serves. Each shim is replaced by one that adopts its program; our own programs begin anew; the app's are not touched.

`upgrade` of another version calls this, so the call, its exit codes and its one line of JSON stay as they are:
{"version", "renewed": [names]}, exit 0, or a sentence on stderr and another exit code.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from threading import Event

from aiimprove import __version__, config
from aiimprove.errors import AiimproveError, ReleaseFailed
from aiimprove.lock import holder
from aiimprove.shim.kept import Kept
from aiimprove.store import Store
from aiimprove.way_back import serving_slot
from aiimprove.workspace import Workspace

_OURS = ("starter", "keep-door", "keep-metrics")
_SECONDS = 60.0


def renew(workspace: Workspace) -> list[str]:
    """Replace one shim after the other, and see that live is well after each; the names of what was replaced.

    Raises ReleaseFailed, NotHealthy.
    """
    run = workspace.config.state_folder / "run"
    renewed = []
    for kept in _in_order(run):
        before = kept.state().program
        if kept.renew():
            renewed.append(str(kept.home.relative_to(run)))
        if before is not None and kept.state().program != before and _serves(renewed[-1]):
            raise ReleaseFailed(f"{renewed[-1]} did not survive its new shim")
        _must_serve(workspace)
    for name in _OURS:
        _begin_anew(Kept(run / name))
    if workspace.gateway.running():
        workspace.gateway.start()
    _must_serve(workspace)
    return [*renewed, *_loop(workspace)]


def _serves(name: str) -> bool:
    """The development copy is in a box, which ends with its shim and is started again."""
    return name.startswith(("gateway", "slots/live"))


def _in_order(run: Path) -> list[Kept]:
    """What is kept: live before dev, the gateway before both, so that a bad version is found out early."""
    order = ("gateway", "slots/live", "slots/dev")
    homes = {spec.parent for spec in run.rglob("spec.json")}
    return [Kept(home) for home in sorted(homes, key=lambda home: (
        next((place for place, name in enumerate(order) if str(home.relative_to(run)).startswith(name)), len(order)),
        str(home)))]


def _must_serve(workspace: Workspace) -> None:
    slot = serving_slot(workspace)
    if slot is not None:
        workspace.slots.verify(slot)


def _begin_anew(kept: Kept) -> None:
    shim = kept.state().shim
    if shim is not None:
        shim.signal(signal.SIGHUP)


def _loop(workspace: Workspace) -> list[str]:
    """The loop begins anew in its own process, whoever keeps it, and takes its lease again when it has."""
    running = holder(workspace.store, "run")
    if running is None or running.message != "run" or not running.process.signal(signal.SIGUSR2):
        return []
    deadline, pause = time.monotonic() + _SECONDS, Event()
    while (now := holder(workspace.store, "run")) is None or now.token == running.token:
        if time.monotonic() > deadline:
            raise ReleaseFailed("the loop did not begin anew")
        pause.wait(0.1)
    return ["run"]


def main() -> int:
    settings = config.load()
    try:
        Store(settings.state_folder / "state.db", may_migrate=True).close()
        renewed = renew(Workspace(settings, "upgrade"))
    except AiimproveError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(json.dumps({"version": __version__, "renewed": renewed}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
