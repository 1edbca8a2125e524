"""The gateway of one app, as every process of the engine sees it."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import zlib
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event

from aiimprove import assets, atomic, process
from aiimprove.errors import Refused, ReleaseFailed, Stale
from aiimprove.gateway import access_log, caddy
from aiimprove.gateway.access_log import Answer, Cursor
from aiimprove.gateway.caddy import Door
from aiimprove.gateway.generation import Generation, Generations
from aiimprove.gateway.recorder import Recording
from aiimprove.gateway.watch import Lease, Returned, Watch
from aiimprove.process import Identity
from aiimprove.release import Environment
from aiimprove.settings import Config
from aiimprove.shim.kept import Kept, Spec

_START_SECONDS = 15.0


class Gateway:
    """Caddy under its shim in run/gateway. It outlives whoever starts it; opening this class starts nothing.

    A request for a service that does not answer is held for `held_seconds`: a killed one is back in less.
    """

    def __init__(self, config: Config, held_seconds: float = 10.0) -> None:
        self.folder = config.state_folder / "run" / "gateway"
        self.log = config.logs_folder / "gateway.log"
        self._grace_seconds = config.deploy.drain_seconds
        self._errors = config.logs_folder / "gateway_errors.log"
        self._log_mb = config.limits.log_mb
        self._recording = Recording.of(config)
        self._kept = Kept(self.folder / "shim")
        self._doors = [replace(door, held_seconds=held_seconds) for door in _doors(config)]
        self._generations = Generations(self.folder, list(config.services))
        self._lease = Lease(self.folder)

    def start(self) -> str:
        """Makes the gateway run as the config says: "started", "adopted" (only its shim had died), "reconfigured"
        (the doors or Caddy changed: it was restarted, its sockets stayed open) or "running".

        Raises Refused when a public port is taken, ReleaseFailed when the gateway does not answer.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for environment in Environment:
            if not self._generations.whole(environment):
                self.switch(environment, self.current(environment) or Generation())
        did = self._run()
        self._wait_until_it_answers()
        return did

    def stop(self) -> None:
        self._kept.stop()

    def running(self) -> bool:
        return self._kept.state().program is not None

    def revive(self) -> bool:
        """Gives Caddy a new shim when its shim died; False when nothing was to do."""
        return self._kept.revive()

    def kept(self) -> bool:
        """Whether anything of it runs: Caddy, or the shim that would start it again."""
        return any(self.identities())

    def identities(self) -> tuple[Identity | None, Identity | None]:
        """Shim and Caddy; None for the one that does not run."""
        state = self._kept.state()
        return state.shim, state.program

    def current(self, environment: Environment) -> Generation | None:
        """What is in force; None before the first start."""
        return self._generations.current(environment)

    def switch(self, environment: Environment, generation: Generation, *, watched: str = "") -> Generation | None:
        """Puts the generation in force for the very next request and returns the one that it replaces.

        With `watched`, a deployment, only while its watch is held. Raises Stale when that is over, and while a return
        of live traffic is not acknowledged: what was planned before is void.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._lease.locked():
            if environment is Environment.LIVE and self._lease.returned():
                raise Stale("live traffic went back to the stable release because nobody watched the new one")
            if watched and not self._lease.is_of(watched):
                raise Stale(f"deployment {watched} was ended by another process meanwhile")
            return self._switch(environment, generation)

    def take_back(self, generation: Generation, deployment: str) -> None:
        """Puts live traffic on the generation and ends the deployment's watch, at once for whoever watches it."""
        with self._lease.locked():
            self._switch(Environment.LIVE, generation)
            self._lease.end(deployment)

    def _switch(self, environment: Environment, generation: Generation) -> Generation | None:
        replaced = self.current(environment)
        numbered = self._generations.write(generation)
        self._generations.use(environment, numbered.number)
        held = self._lease.held()
        self._generations.prune({held.back_to} if held else set())
        return replaced

    def hold(self, watch: Watch, seconds: float) -> None:
        """Begins a watch: without `renew` within `seconds` the shim returns traffic to `watch.back_to`."""
        self._lease.hold(watch, seconds)

    def renew(self, deployment: str, seconds: float) -> bool:
        """False when the watch has lapsed: the deployment is over, whatever its watcher thinks."""
        return self._lease.renew(deployment, seconds)

    def release_watch(self, deployment: str) -> bool:
        """Ends the watch for good; False when it had lapsed."""
        return self._lease.release(deployment)

    def held(self) -> Watch | None:
        return self._lease.held()

    def returned(self) -> Returned | None:
        """A return of traffic by the shim that nobody has recorded yet."""
        return self._lease.returned()

    def acknowledge(self) -> None:
        self._lease.acknowledge()

    def cursor(self) -> Cursor:
        """The end of the access log now."""
        return access_log.end_of(self.log)

    def answers(self, since: Cursor | None) -> tuple[list[Answer], Cursor]:
        """The answers given after `since`, and where to read on. None begins now, with no answers."""
        return ([], self.cursor()) if since is None else access_log.read(self.log, since)

    def _spec(self, written: Path) -> Spec:
        binary, home = caddy.binary(), dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), str(self.folder))
        build = {"CADDY_BUILD": f"{binary.stat().st_size}-{binary.stat().st_mtime_ns}"}  # another one is an upgrade
        return Spec(
            argv=(str(binary), "run", "--config", str(written)),
            env=home | build | {"PATH": os.defpath}, cwd=self.folder, log=self.folder / "caddy.log",
            healthy_seconds=1.0, longest_pause=1.0, guard=self.folder, hand_over=True, stop_signal=signal.SIGQUIT,
            stop_seconds=self._grace_seconds + caddy.SHUTDOWN_DELAY + 5.0,
            listen=tuple((door.host, door.port) for door in self._doors))

    def _run(self) -> str:
        config = caddy.config(self.folder, self._doors, self.log, self._errors, self._log_mb, self._grace_seconds,
                              self._recording)
        wanted = json.dumps(config, indent=1)
        written = self.folder / f"caddy-{zlib.crc32(wanted.encode()):08x}.json"
        spec = self._spec(written)
        same = self._kept.spec() == json.loads(json.dumps(spec.to_json())) and (
            written.exists() and written.read_text() == wanted)
        if self.running() and same:
            return "adopted" if self._kept.revive() else "running"
        self._refuse_taken_ports()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self._recording:
            self._recording.raw.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        atomic.write(written, wanted)
        if self.running():
            self._hand_over(spec)
            did = "reconfigured"
        else:
            self._kept.stop()
            self._kept.start(spec)
            did = "started"
        for other in self.folder.glob("caddy-*.json"):
            if other != written:
                other.unlink(missing_ok=True)
        return did

    def _hand_over(self, spec: Spec) -> None:
        """Raises ReleaseFailed when the new Caddy does not get ready; then the one before goes on."""
        before, pause = self._kept.state(), Event()
        deadline = time.monotonic() + 2 * _START_SECONDS
        self._kept.restart(spec)
        while True:
            now = self._kept.state()
            if now.failed > before.failed or time.monotonic() > deadline:
                raise ReleaseFailed(f"the new gateway does not start, the one before serves; see {self._errors} and "
                                    f"{self.folder / 'caddy.log'}")
            if not now.handing_over and now.program not in (None, before.program):
                return
            pause.wait(0.02)

    def _refuse_taken_ports(self) -> None:
        own = {identity.pid for identity in self.identities() if identity}
        for door in self._doors:
            holder = process.port_holder(door.port)
            if holder is not None and holder[1] not in own:
                raise Refused(f"port {door.port} ({door.environment} {door.service}) is held by"
                              f" {holder[0]} (pid {holder[1]})")

    def _wait_until_it_answers(self) -> None:
        deadline, pause = time.monotonic() + _START_SECONDS, Event()
        while not all(_answers(door) for door in self._doors):
            if time.monotonic() > deadline:
                raise ReleaseFailed(f"the gateway does not answer; see {self._errors} and {self.folder / 'caddy.log'}")
            pause.wait(0.02)


def _doors(config: Config) -> list[Door]:
    doors = []
    for environment in Environment:
        for name, service in sorted(config.services.items()):
            port = service.live_port if environment is Environment.LIVE else service.dev_port
            if port:
                doors.append(Door(name, environment, _address(config.host), port, name == config.approvals,
                                  assets=tuple(service.assets), kept=assets.folder(config, name)))
    return doors


def _address(host: str) -> str:
    """The numbers of a name, so that a shim recognises its sockets again."""
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except OSError as error:
        raise Refused(f"the host {host!r} of the config has no address: {error}") from error


def _answers(door: Door) -> bool:
    """`OPTIONS *` asks the gateway itself: it reaches no release and leaves no line in the log."""
    reachable = replace(door, host={"0.0.0.0": "127.0.0.1", "::": "::1"}.get(door.host, door.host))
    connection = HTTPConnection(reachable.host, reachable.port, timeout=2.0)
    try:
        connection.request("OPTIONS", "*")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
