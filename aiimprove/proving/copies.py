"""A private copy of a release: its own clone of the data, its own ports, in the box, at the lowest priority."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiimprove import process
from aiimprove.config import read_env_file
from aiimprove.errors import NotHealthy
from aiimprove.journal import last_lines
from aiimprove.launch import Launch, Place, as_released, launch
from aiimprove.probes import wait_until_healthy
from aiimprove.rehearsal import migrate
from aiimprove.release import Release
from aiimprove.sandbox import Box, boxed
from aiimprove.settings import Config
from aiimprove.snapshot import clone

STOP_SECONDS = 2.0
CLONES = 8
"""Copies of live's data that a proof holds at its largest moment: what both are cloned from, both, a
rehearsal, and of a replay one run of the live version and one of the candidate, each with its data before."""


@dataclass(frozen=True)
class Copy:
    """A release that runs: an address, a log and the first process of each service, the folder of its data, and whether
    it still runs."""

    release: Release
    urls: Mapping[str, str]
    data: Path
    logs: Mapping[str, Path]
    commit: str
    alive: Callable[[], bool] = lambda: True
    processes: Mapping[str, process.Identity] = field(default_factory=dict)


@contextmanager
def running_copy(config: Config, release: Release, snapshot: Path, work: Path, box: Box, *,
                 env: Mapping[str, Mapping[str, str]] | None = None, migrated: bool = False,
                 healthy: Callable[[Config, Copy], None] | None = None) -> Iterator[Copy]:
    """Runs every service of a release on a clone of `snapshot` in `work`, until the block ends.

    The release's own migrations are applied first, unless the data is `migrated` already. `env` adds variables for
    single services; the folders of its PYTHONPATH stand in front of the service's own, and are shown to it. Raises
    MigrationFailed, or NotHealthy with the end of the log. The processes end with the block, with us, and with the
    thread that is in the block.
    """
    data = work / "data"
    clone(config, snapshot, data)
    if not migrated:
        migrate(config, release, data, box, config.proof.nice)
    with running_on(config, release, data, work, box, env=env, healthy=healthy) as copy:
        yield copy


@contextmanager
def running_on(config: Config, release: Release, data: Path, work: Path, box: Box, *,
               env: Mapping[str, Mapping[str, str]] | None = None, only: Collection[str] = (),
               healthy: Callable[[Config, Copy], None] | None = None) -> Iterator[Copy]:
    """`running_copy` on a data folder itself, which others may use at the same time, as it is; `only` some services,
    when any are named. Raises NotHealthy."""
    names = [name for name, service in as_released(config, release).services.items()
             if service.start and (not only or name in only)]
    ports = dict(zip(names, process.free_ports(len(names)), strict=True))
    place = Place(ports, data, read_env_file(config.env_file.dev))
    logs = {name: work / f"{name}.log" for name in names}
    with ExitStack() as stack:
        started = [stack.enter_context(_service(_with(launch(config, release, name, place), (env or {}).get(name, {})),
                                                box, logs[name], config.proof.nice)) for name in names]
        urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        copy = Copy(release, urls, data, logs, release.commit, lambda: all(each.alive() for each in started),
                    dict(zip(names, started, strict=True)))
        (healthy or until_healthy)(config, copy)
        yield copy


def _with(start: Launch, extra: Mapping[str, str]) -> Launch:
    paths = extra.get("PYTHONPATH", "").split(os.pathsep)
    joined = os.pathsep.join(filter(None, (*paths, start.env.get("PYTHONPATH", ""))))
    shown = [Path(folder) for folder in paths if folder.startswith("/")]
    return replace(start, env={**start.env, **extra, **({"PYTHONPATH": joined} if joined else {})},
                   readable=(*start.readable, *shown))


@contextmanager
def _service(start: Launch, box: Box, log: Path, nice: int) -> Iterator[process.Identity]:
    argv, env = boxed(box, start, writable=[start.writable] if start.writable else [], network="host")
    child = process.start(argv, cwd=start.cwd, env=env, log=log, nice=nice, die_with_parent=True)
    identity = process.Identity.of(child.pid)
    try:
        if identity is None:
            raise NotHealthy(f"{start.service} did not start:\n{last_lines(log)}")
        yield identity
    finally:
        inside = process.children(identity) if identity else []
        if identity is not None:
            process.stop(identity, STOP_SECONDS)
        child.wait()
        for each in inside:  # the first process of a box ends when all others in it have
            each.wait(STOP_SECONDS)


def until_healthy(config: Config, copy: Copy) -> None:
    """Asks every service for healthy answers in a row. Raises NotHealthy with the end of the logs."""
    services = as_released(config, copy.release).services
    urls = [url + services[name].health for name, url in copy.urls.items()]
    try:
        wait_until_healthy(urls, config.deploy.healthy_answers, config.deploy.start_seconds, copy.alive)
    except NotHealthy as failed:
        said = "\n".join(f"{name}: {last_lines(log)}" for name, log in copy.logs.items())
        raise type(failed)(f"{failed}\n{said}") from failed
