"""Another version of aiimprove in the place of this one, while the site serves; on failure this one is back.

This process is the old version to its end. What it needs is imported here and now, because the files on disk change.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiimprove import __version__, installation, process
from aiimprove.config import inherited
from aiimprove.due import UPGRADE
from aiimprove.errors import AiimproveError, Locked, Refused, ReleaseFailed
from aiimprove.event import Event
from aiimprove.installation import Installation
from aiimprove.lock import held, holder
from aiimprove.revival import SYSTEM
from aiimprove.store.migrations import version
from aiimprove.way_back import DEPLOY
from aiimprove.workspace import Workspace

_SECONDS = 600.0
_STEP_SECONDS = 45.0
_ENV = ("PATH", "HOME", "LANG", "TZ", "XDG_STATE_HOME")


@dataclass(frozen=True)
class Upgraded:
    """From which version to which, and the names of what runs the new one now."""

    before: str
    after: str
    renewed: tuple[str, ...]


def upgrade(workspace: Workspace, what: str = "", *, back: bool = False) -> Upgraded:
    """Install `what` (a path, a wheel, whatever pip takes; empty: what was installed before, or nothing for a working
    tree, which is new already) and have it take over. With `back`, the version before returns.

    Raises Refused, Locked before anything is changed; ReleaseFailed when this version is back, or still there.
    """
    here = installation.here()
    if back and not here.before.is_dir():
        raise Refused(f"no version before is kept: {here.before} does not exist")
    wanted = what or ("" if here.editable else here.source)
    with _quiet(workspace):
        if not back and wanted:
            workspace.progress("keeping the version that is there")
            here.keep()
        copy, touched = _copy_state(workspace), False
        try:
            _put_in_place(workspace, here, wanted, back)
            touched = True
            told = _take_over(workspace)
        except (AiimproveError, KeyboardInterrupt) as error:
            raise ReleaseFailed(_return(workspace, here, copy, str(error) or "interrupted",
                                        changed=back or bool(wanted), touched=touched)) from None
        done = Upgraded(__version__, str(told["version"]), tuple(told["renewed"]))
        workspace.store.append(Event("aiimprove.upgraded", done.after, workspace.performer, {"from": done.before}))
    return done


@contextmanager
def _quiet(workspace: Workspace) -> Iterator[None]:
    """Nobody deploys, starts or proves anything, and the loop waits."""
    store = workspace.store
    with held(store, UPGRADE, "putting another version of aiimprove in place"), \
            held(store, SYSTEM, "putting another version of aiimprove in place"), \
            held(store, DEPLOY, "putting another version of aiimprove in place"):
        if store.unfinished():
            raise Locked("a deployment is under way: wait until it is done")
        _end_steps(workspace)
        yield


def _end_steps(workspace: Workspace) -> None:
    """The loop's steps are interrupted: they would load half of their code from another version."""
    loop = holder(workspace.store, "run")
    if loop is not None and loop.message != "run":
        raise Locked(f"{loop.message} is at it: wait until it is done")
    for step in process.children(loop.process) if loop else []:
        step.signal(signal.SIGTERM)
        if not step.wait(_STEP_SECONDS):
            raise Locked(f"a step of the loop (process {step.pid}) does not end: try again later")


def _put_in_place(workspace: Workspace, here: Installation, wanted: str, back: bool) -> None:
    if back:
        here.exchange()
    elif wanted:
        workspace.progress(f"installing {wanted}")
        here.install(wanted)


def _take_over(workspace: Workspace) -> dict[str, Any]:
    """Raises ReleaseFailed with what the version that is installed now complains about."""
    workspace.progress("replacing what runs, one after the other")
    config = workspace.config
    env = inherited(*_ENV) | {"AIIMPROVE_REPOSITORY": str(config.repository),
                              "AIIMPROVE_STATE": str(config.state_folder)}
    done = process.run([sys.executable, "-P", "-m", "aiimprove.renewal"], cwd=config.repository, env=env,
                       deadline=_SECONDS)
    if done.exit_code:
        raise ReleaseFailed(done.errors.strip()[-600:] or f"it ended with {done.exit_code}")
    told: dict[str, Any] = json.loads(done.output)
    return told


def _return(workspace: Workspace, here: Installation, copy: Path, why: str, *, changed: bool, touched: bool) -> str:
    """The version before in its place again, with the state as it can read it; in words how that went."""
    if not changed:
        return f"the code of {here.source} did not take over: {why}. What runs goes on; check out the version before " \
               "there and call this again"
    here.exchange()
    _return_state(workspace, copy)
    try:
        if touched:
            _take_over(workspace)
    except AiimproveError as error:
        return f"{why}. Version {__version__} is installed again, but: {error}. Live goes on; 'aiimprove up' mends it"
    shutil.rmtree(here.before, ignore_errors=True)
    return f"{why}. Version {__version__} is back"


def _copy_state(workspace: Workspace) -> Path:
    copy = workspace.store.file.with_suffix(".before-upgrade.db")
    copy.unlink(missing_ok=True)
    os.close(os.open(copy, os.O_CREAT | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(copy)) as target:
        workspace.store.connection.backup(target)
    return copy


def _return_state(workspace: Workspace, copy: Path) -> None:
    """Only when the schema has changed: else what was written meanwhile stays."""
    with closing(sqlite3.connect(copy)) as kept, closing(sqlite3.connect(workspace.store.file)) as state:
        if version(kept) != version(state):
            kept.backup(state)
