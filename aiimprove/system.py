"""up and down: everything that runs, started in order and stopped in order."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path

from aiimprove import build, deployment, development, health, process, revival, vault
from aiimprove.config import inherited
from aiimprove.door import FOLDER
from aiimprove.errors import AiimproveError, Refused, ReleaseFailed, UsageError
from aiimprove.launch import Place, launch
from aiimprove.lock import held, holder
from aiimprove.release import Environment
from aiimprove.sandbox import end_boxes
from aiimprove.shim import starting
from aiimprove.shim.kept import Kept, Spec
from aiimprove.store import StoreDamaged
from aiimprove.workspace import DEV_RELEASE, LIVE_RELEASE, Workspace

LOOP_STOP_SECONDS = 45.0
POPULATE_SECONDS = 120.0
LEFTOVER_SECONDS = 10.0
"""What a proof had started ends with it, but not at once on a busy machine."""
_LOG = logging.getLogger("aiimprove")
_ENV = ("PATH", "HOME", "LANG", "TZ", "XDG_STATE_HOME", "AIIMPROVE_STATE")


@dataclass(frozen=True)
class Started:
    """What `up` left running; `something` says whether anything had to be started, `notes` are for a person."""

    live: str
    dev: str
    something: bool
    notes: tuple[str, ...] = ()


def up(workspace: Workspace, *, loop: bool = True, unit: bool = False) -> Started:
    """Start what does not run; the loop too, unless it is not wanted. With `unit`, whatever is started from now on, by
    anybody, belongs to the control group that we are in, for good. Raises Refused when a port is taken, naming who
    has it, before anything is started; Locked while another `up` or `down` is at it."""
    with held(workspace.store, revival.SYSTEM, "starting everything"):
        return _up(workspace, loop, unit)


def _up(workspace: Workspace, loop: bool, unit: bool) -> Started:
    _must_have_tools(workspace)
    workspace.repository.resolve("HEAD")
    workspace.repository.must_have_room()
    _must_have_ports(workspace)
    if unit:
        _open_starter(workspace)
    began = workspace.gateway.start() == "started"
    _open_door(workspace)
    _open_exporter(workspace)
    fresh = workspace.store.fact(LIVE_RELEASE) is None
    if fresh:
        deployment.first(workspace)
    started = revival.revive(workspace) if not fresh else True
    notes = _populate(workspace) if fresh else ()
    notes += _unlike_the_config(workspace)
    _show_dev(workspace)
    looping = loop and start_loop(workspace)
    return Started(str(workspace.store.fact(LIVE_RELEASE)), str(workspace.store.fact(DEV_RELEASE)),
                   began or started or looping, notes)


def down(workspace: Workspace) -> list[str]:
    """Stop everything and say what was stopped. A deployment under way is ended first. What runs is on record in run/
    too: it is stopped also when the state cannot be read or written."""
    stopped = []
    loop = _loop(workspace)
    if loop.state().program or loop.state().shim:
        loop.stop()
        stopped.append("loop")
    try:
        stopped += _end_commands(workspace)
        with held(workspace.store, revival.SYSTEM, "stopping everything"):
            _settle(workspace)
            stopped += _down(workspace)
            health.stopped(workspace)
    except (StoreDamaged, sqlite3.DatabaseError) as error:
        _LOG.warning("%s: everything is stopped all the same", error)
        stopped += _down(workspace)
    return stopped


def _settle(workspace: Workspace) -> None:
    try:
        deployment.settle(workspace)
    except AiimproveError as error:
        workspace.progress(f"left for the next start: {error}")


def _down(workspace: Workspace) -> list[str]:
    stopped = []
    for environment in (Environment.DEV, Environment.LIVE):
        for slot in workspace.slots.running(environment).values():
            workspace.slots.stop(slot)
            stopped.append(f"{environment} {slot.slot}")
    _door(workspace).stop()
    _exporter(workspace).stop()
    if workspace.gateway.kept():
        workspace.gateway.stop()
        stopped.append("gateway")
    _starter(workspace).stop()
    end_boxes(workspace.config.state_folder / "work", LEFTOVER_SECONDS)
    return stopped


def start_loop(workspace: Workspace) -> bool:
    """Start `aiimprove run` under a shim; False when one runs already."""
    loop, config = _loop(workspace), workspace.config
    if holder(workspace.store, "run") is not None or loop.state().program is not None:
        return loop.revive()
    env = inherited(*_ENV) | {"AIIMPROVE_REPOSITORY": str(config.repository)}
    loop.start(Spec((sys.executable, "-P", "-m", "commands.app", "run"), env, config.repository,
                    config.logs_folder / "ai_system.log", stop_seconds=LOOP_STOP_SECONDS))
    return True


def _loop(workspace: Workspace) -> Kept:
    return Kept(workspace.config.state_folder / "run" / "loop")


def _open_starter(workspace: Workspace) -> None:
    """One that runs belongs to a control group that may end: then a new one takes its place. What it started stays."""
    config, starter = workspace.config, _starter(workspace)
    starter.stop()
    script = Path(starting.__file__).with_name("starter.py")
    starter.start(Spec((sys.executable, "-I", "-S", str(script), str(starter.home)), {"PATH": os.defpath},
                       config.repository, config.logs_folder / "ai_system.log"))


def _starter(workspace: Workspace) -> Kept:
    return Kept(workspace.config.state_folder / "run" / starting.FOLDER)


def _open_door(workspace: Workspace) -> None:
    config, door = workspace.config, _door(workspace)
    if not config.approvals or door.state().program is not None:
        door.revive()
        return
    env = inherited(*_ENV) | {"AIIMPROVE_REPOSITORY": str(config.repository),
                              "AIIMPROVE_STATE": str(config.state_folder)}
    door.start(Spec((sys.executable, "-P", "-m", "aiimprove.door", str(config.state_folder / FOLDER)), env,
                    config.repository, config.logs_folder / "ai_system.log"))


def _door(workspace: Workspace) -> Kept:
    return Kept(workspace.config.state_folder / "run" / "keep-door")


def _open_exporter(workspace: Workspace) -> None:
    config, exporter = workspace.config, _exporter(workspace)
    spec = Spec((sys.executable, "-P", "-m", "aiimprove.exporter", str(config.metrics_port)),
                inherited(*_ENV) | {"AIIMPROVE_REPOSITORY": str(config.repository),
                                    "AIIMPROVE_STATE": str(config.state_folder)},
                config.repository, config.logs_folder / "ai_system.log")
    if not config.metrics_port:
        exporter.stop()
    elif exporter.state().program is None:
        exporter.start(spec)
    elif exporter.spec().get("argv") != list(spec.argv):
        exporter.restart(spec)
    else:
        exporter.revive()


def _exporter(workspace: Workspace) -> Kept:
    return Kept(workspace.config.state_folder / "run" / "keep-metrics")


def _show_dev(workspace: Workspace) -> None:
    try:
        development.show(workspace)
    except ReleaseFailed as failed:
        workspace.progress(f"the development copy does not start: {failed}")


def _must_have_tools(workspace: Workspace) -> None:
    needed = {"node": "node", "python": "python3"}
    for name, service in workspace.config.services.items():
        program = needed.get(service.runtime)
        if program and not shutil.which(program):
            raise UsageError(f"services.{name} needs {program}, which is not installed")


def _must_have_ports(workspace: Workspace) -> None:
    metrics = workspace.config.metrics_port
    if metrics and _exporter(workspace).state().program is None:
        _must_be_free(metrics, "metrics_port", "give the metrics")
    if workspace.gateway.running():
        return
    for name, service in workspace.config.services.items():
        for port in filter(None, (service.live_port, service.dev_port)):
            _must_be_free(port, f"services.{name}", "give the service")


def _must_be_free(port: int, key: str, give: str) -> None:
    taken = process.port_holder(port)
    if taken is not None:
        raise Refused(f"port {port} ({key}) is taken by {taken[0]} (pid {taken[1]}): stop it, or {give} another port "
                      "in config.toml. Nothing was started")


def _populate(workspace: Workspace) -> tuple[str, ...]:
    """Fill the live data for the first time, as the services' `populate` says; failing at that is no disaster."""
    notes = []
    release = workspace.live()
    for name, service in workspace.config.services.items():
        if not service.populate:
            continue
        workspace.progress(f"filling {name} for the first time")
        place = Place({}, workspace.data("live"), vault.live_env(workspace.config, release), role="live")
        words = launch(workspace.config, release, name, place, service.populate)
        done = process.run(words.argv, cwd=words.cwd, env=words.env, deadline=POPULATE_SECONDS,
                           die_with_parent=True)
        if done.exit_code:
            notes.append(f"filling {name} failed: {(done.errors or done.output).strip()[-300:]}")
    return tuple(notes)


def _unlike_the_config(workspace: Workspace) -> tuple[str, ...]:
    """A person who changed the env file and starts everything anew expects it to count."""
    release = workspace.live()
    keys = ", ".join(build.changed(workspace.config, release))
    return (f"Release {release.id} serves as it was made. What was changed since ({keys}) goes live with 'aiimprove "
            "deploy aiimprove/live'.",) if keys else ()


def _end_commands(workspace: Workspace) -> list[str]:
    """End the commands that hold a lease: they undo what they have under way."""
    ended = []
    me = os.getpid()
    for (name,) in workspace.store.connection.execute("SELECT name FROM leases WHERE until > 0").fetchall():
        found = holder(workspace.store, name)
        if found is not None and found.process.pid != me and found.process.signal(signal.SIGTERM):
            if not found.process.wait(LOOP_STOP_SECONDS):
                found.process.signal(signal.SIGKILL)
                found.process.wait(5.0)
            ended.append(name)
    return ended
