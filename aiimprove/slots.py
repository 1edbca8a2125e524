"""Two places for a release in each environment: start the idle one, prove it healthy, drain it, stop it.

On disk: run/slots/<environment>/<slot>/slot.json and one shim's folder for each service, so that any process of the
engine finds what another one started.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

from aiimprove import atomic, probes, process, vault
from aiimprove.config import read_env_file
from aiimprove.disk import MEGA
from aiimprove.errors import NotHealthy, Refused
from aiimprove.finding import Json
from aiimprove.journal import last_lines
from aiimprove.launch import Launch, Place, as_released, launch
from aiimprove.process import Identity
from aiimprove.release import Environment, Release, Slot
from aiimprove.settings import Config, Service
from aiimprove.shim.kept import Kept, Spec

_VERIFY_SECONDS = 10.0
_DEATHS_ALLOWED = 3
_RETIRED = "retired"
_ASKED = ("health", "ready", "smoke")


def as_it_is(started: Launch, environment: Environment) -> Launch:
    return started


@dataclass(frozen=True)
class RunningSlot:
    """A release (its id) in a slot, with the private port of each service and the folder of its shims. `asked` are
    the paths that each service is asked for: those of its release."""

    environment: Environment
    slot: Slot
    release: str
    ports: Mapping[str, int]
    folder: Path
    asked: Mapping[str, Mapping[str, Json]] = field(default_factory=dict, compare=False)

    def kept(self) -> dict[str, Kept]:
        return {name: Kept(self.folder / name) for name in self.ports}

    def identities(self) -> dict[str, Identity]:
        """The process of each service that runs at this moment."""
        programs = {name: kept.state().program for name, kept in self.kept().items()}
        return {name: program for name, program in programs.items() if program}


class PortTaken(NotHealthy):
    """Somebody else listens on a port that was free when it was chosen."""


class Slots:
    """The slots of one app. `wrap` changes how services are started, for example to hide the state folder."""

    def __init__(self, config: Config, wrap: Callable[[Launch, Environment], Launch] = as_it_is) -> None:
        self._config, self._wrap = config, wrap
        self._folder = config.state_folder / "run" / "slots"

    def start(self, release: Release, slot: Slot, environment: Environment) -> RunningSlot:
        """Starts every service on a free private port, and returns when all answered healthy and the smoke paths too.

        Raises NotHealthy, with the end of the log of the service that did not, after stopping what was started;
        Refused when something runs in that slot.
        """
        if slot in self.running(environment):
            raise Refused(f"slot {slot} of {environment} is in use")
        try:
            return self._start(release, slot, environment)
        except PortTaken:  # by whoever was quicker: that says nothing about the release
            return self._start(release, slot, environment)

    def _start(self, release: Release, slot: Slot, environment: Environment) -> RunningSlot:
        services = as_released(self._config, release).services
        ports = dict(zip(services, process.free_ports(len(services)), strict=True))
        asked = {name: {key: getattr(service, key) for key in _ASKED} for name, service in services.items()}
        running = RunningSlot(environment, slot, release.id, ports, self._folder / environment.value / slot.value,
                              asked)
        try:
            self._start_services(release, running)
            self._prove(running, self._config.deploy.start_seconds)
        except BaseException:
            self.stop(running)
            raise
        return running

    def running(self, environment: Environment) -> Mapping[Slot, RunningSlot]:
        """Every slot in which something of a release still runs."""
        found = {each.slot: each for each in self._noted(environment)}
        return {slot: each for slot, each in found.items() if any(_runs(kept) for kept in each.kept().values())}

    def health_urls(self, running: RunningSlot) -> list[str]:
        """Where each service says that it lives, on its private port."""
        return [self._url(running, name, self._service(running, name).health) for name in running.ports]

    def verify(self, running: RunningSlot) -> None:
        """Asks every service at once, now, for healthy answers in a row. Raises NotHealthy."""
        deadline = time.monotonic() + _VERIFY_SECONDS
        with ThreadPoolExecutor(max_workers=max(1, len(running.ports))) as together:
            list(together.map(lambda name: self._prove_service(running, name, deadline), running.ports))

    def retire(self, running: RunningSlot) -> None:
        """Notes that the slot gets no new requests from now on: those under way have their time from here."""
        atomic.write(running.folder / _RETIRED, str(time.clock_gettime(time.CLOCK_BOOTTIME)))

    def drain(self, running: RunningSlot, seconds: float) -> bool:
        """Waits until no connection to the slot is left; False when there still are some `seconds` after it was
        retired, which is now when nobody did that before."""
        deadline, pause = time.monotonic() + seconds - self._retired_for(running), Event()
        ports = set(running.ports.values())
        while process.established(ports):
            if time.monotonic() >= deadline:
                return False
            pause.wait(0.05)
        return True

    def stop(self, running: RunningSlot) -> None:
        """Ends every service of the slot, at the same time, and forgets the slot.

        Nothing happens when another release has the slot by now: whoever calls may have slept for long.
        """
        if running not in self._noted(running.environment):
            return
        with ThreadPoolExecutor(max_workers=max(1, len(running.ports))) as together:
            list(together.map(Kept.stop, running.kept().values()))
        shutil.rmtree(running.folder, ignore_errors=True)

    def deaths(self, running: RunningSlot) -> int:
        """How often services of the slot ended by themselves since it was started."""
        return sum(kept.state().restarts for kept in running.kept().values())

    def revive(self) -> int:
        """Gives every service whose shim died a new one, which adopts it; how many that were."""
        noted = [each for environment in Environment for each in self.running(environment).values()]
        return sum(kept.revive() for each in noted for kept in each.kept().values())

    def link_logs(self, running: RunningSlot) -> None:
        """Makes logs/<environment>_<service>.log name the logs of this slot."""
        for name in running.ports:
            atomic.link(self._config.logs_folder / f"{running.environment}_{name}.log", self.log(running, name).name)

    def log(self, running: RunningSlot, service: str) -> Path:
        return self._config.logs_folder / f"{running.environment}-{running.slot}-{running.release}-{service}.log"

    def data(self, environment: Environment, slot: Slot) -> Path:
        """Live's data is one; each dev slot has a clone of its own."""
        folder = self._config.state_folder / "data" / environment.value
        return folder if environment is Environment.LIVE else folder / slot.value

    def _retired_for(self, running: RunningSlot) -> float:
        """Seconds since the slot was retired; 0 when it is retired only now."""
        with suppress(FileNotFoundError):
            if not (running.folder / _RETIRED).exists():
                self.retire(running)
            since = float((running.folder / _RETIRED).read_text())
            return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - since)
        return 0.0  # somebody has stopped it meanwhile

    def _start_services(self, release: Release, running: RunningSlot) -> None:
        config, environment = self._config, running.environment
        shutil.rmtree(running.folder, ignore_errors=True)
        running.folder.mkdir(parents=True, mode=0o700)
        noted = {"release": release.id, "ports": dict(running.ports), "asked": dict(running.asked)}
        atomic.write(running.folder / "slot.json", json.dumps(noted))
        data = self.data(environment, running.slot)
        data.mkdir(parents=True, exist_ok=True)
        live = environment is Environment.LIVE
        env = vault.live_env(config, release) if live else read_env_file(config.env_file.dev)
        place = Place(running.ports, data, env, role="live" if live else "dev")
        for name, kept in running.kept().items():
            start = self._wrap(launch(config, release, name, place), environment)
            kept.start(Spec(start.argv, start.env, start.cwd, self.log(running, name), config.deploy.stop_seconds,
                            whole_family=True, log_bytes=round(config.limits.log_mb * MEGA)))

    def _prove(self, running: RunningSlot, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for name in running.ports:
            self._prove_service(running, name, deadline)
            stranger = process.stranger_on(running.ports[name], running.kept()[name].state().shim)
            if stranger:  # it may answer healthily
                raise PortTaken(f"the port of {name} was taken by {stranger[0]} (pid {stranger[1]}) meanwhile")

    def _prove_service(self, running: RunningSlot, name: str, deadline: float) -> None:
        """Raises NotHealthy with the end of the service's log."""
        try:
            self._ask(running, name, deadline)
        except (NotHealthy, probes.Unreachable, probes.Dropped) as error:
            end = last_lines(self.log(running, name))
            raise NotHealthy(f"{name} of release {running.release}: {error}\n{end}".rstrip()) from error

    def _ask(self, running: RunningSlot, name: str, deadline: float) -> None:
        service, kept = self._service(running, name), running.kept()[name]
        deaths = kept.state().restarts
        urls = [self._url(running, name, path) for path in (service.health, service.ready) if path]
        probes.wait_until_healthy(urls, self._config.deploy.healthy_answers, deadline - time.monotonic(),
                                  alive=lambda: _runs(kept) and kept.state().restarts - deaths < _DEATHS_ALLOWED)
        for path in service.smoke:
            answer = probes.get(self._url(running, name, path), seconds=max(1.0, deadline - time.monotonic()))
            if not 200 <= answer.status < 400:
                raise NotHealthy(f"{path} answered {answer.status}")

    def _service(self, running: RunningSlot, name: str) -> Service:
        """The service as its release has it, where that is known."""
        return replace(self._config.services.get(name, Service()), **running.asked.get(name, {}))

    def _url(self, running: RunningSlot, name: str, path: str) -> str:
        return f"http://127.0.0.1:{running.ports[name]}{path}"

    def _noted(self, environment: Environment) -> Iterator[RunningSlot]:
        for slot in Slot:
            folder = self._folder / environment.value / slot.value
            try:
                noted = json.loads((folder / "slot.json").read_bytes())
            except (OSError, ValueError):
                continue
            yield RunningSlot(environment, slot, noted["release"], noted["ports"], folder, noted.get("asked", {}))


def _runs(kept: Kept) -> bool:
    state = kept.state()
    return state.shim is not None or state.program is not None
