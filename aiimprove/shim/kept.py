"""The engine's side of a shim: a program that is kept alive, known by its folder."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from aiimprove import atomic, process
from aiimprove.errors import ReleaseFailed
from aiimprove.finding import Json
from aiimprove.process import Identity
from aiimprove.shim.starting import start_shim


@dataclass(frozen=True)
class Spec:
    """What a shim keeps alive. `listen` are addresses whose sockets it owns; `guard` is a gateway's folder. With
    `whole_family` everything that the program ever started ends with it, else what stayed in its session. A log
    of more than `log_bytes` begins anew (None: at the shim's own size). A program that dies is started again at once
    when it lived for `healthy_seconds`, else after pauses that double up to `longest_pause` seconds. With `hand_over` a
    restart starts the new program before it ends the old one (handover.py); `stop_signal` ends it for good."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    stop_seconds: float = 10.0
    healthy_seconds: float = 3.0
    longest_pause: float = 5.0
    listen: tuple[tuple[str, int], ...] = ()
    guard: Path | None = None
    whole_family: bool = False
    hand_over: bool = False
    stop_signal: int = int(signal.SIGTERM)
    log_bytes: int | None = None

    def to_json(self) -> dict[str, Json]:
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.log_bytes is None:  # as it was before there was such a thing, so that nothing is restarted for it
            del plain["log_bytes"]
        return plain | {"cwd": str(self.cwd), "log": str(self.log), "env": dict(self.env),
                        "guard": str(self.guard) if self.guard else None}


@dataclass(frozen=True)
class State:
    """Who runs now; `shim` or `program` is None when it does not. `stopped`: it was ended on purpose. `handing_over`:
    the program is new and not ready yet; `failed` counts those that never were."""

    shim: Identity | None
    program: Identity | None
    restarts: int
    last_exit: int | None
    stopped: bool
    handing_over: bool = False
    failed: int = 0


class Kept:
    """A program in the folder `home`, kept by a shim. Any process of the same user can look after it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._spec = home / "spec.json"

    def state(self) -> State:
        program = _alive(_read(self.home / "child.json"))  # first: what is noted of a new program was noted before it
        noted = _read(self.home / "state.json")
        return State(_alive(noted.get("shim", {})), program,
                     noted.get("restarts", 0), noted.get("last_exit"), noted.get("stopped", False),
                     noted.get("handing_over", False), noted.get("failed", 0))

    def spec(self) -> dict[str, Json]:
        """The spec as it was written; empty when there is none."""
        return _read(self._spec)

    def start(self, spec: Spec) -> None:
        """Starts the program under a new shim; returns when it has been executed. Raises ReleaseFailed."""
        self._write(spec)
        spec.log.parent.mkdir(parents=True, exist_ok=True)
        self._start_shim()

    def restart(self, spec: Spec) -> None:
        """Ends the program and starts it as the new spec says, soon (with `hand_over` the other way round); sockets
        that both name stay open."""
        self._write(spec)
        if self.state().shim is None:
            self._start_shim()
        shim = self.state().shim
        if shim is None or not shim.signal(signal.SIGHUP):
            raise ReleaseFailed(f"{self.home.name} could not be restarted: its shim died")

    def revive(self) -> bool:
        """Gives a program whose shim died a new one, which adopts or starts it, and wakes who was stopped (SIGSTOP);
        False when nothing was to do."""
        state = self.state()
        woken = [each.wake() for each in (state.shim, state.program) if each]
        if state.shim or state.stopped or not self._spec.exists():
            return any(woken)
        self._start_shim()
        return True

    def renew(self) -> bool:
        """Puts a shim of the code that is installed now in the place of the one that runs; its program goes on. False
        when nothing runs."""
        state = self.state()
        if state.shim is None and state.program is None:
            return False
        if state.shim is not None:
            state.shim.signal(signal.SIGKILL)
            state.shim.wait(5.0)
        return self.revive()

    def stop(self) -> None:
        """Ends shim and program for good; what does not end in the spec's time is killed."""
        seconds = float(self.spec().get("stop_seconds", 10.0))
        shim = self.state().shim
        if shim and shim.signal(signal.SIGTERM) and not shim.wait(seconds + 5.0):
            shim.signal(signal.SIGKILL)
            shim.wait(5.0)
        program = self.state().program
        if program:
            process.stop(program, seconds)

    def _start_shim(self) -> None:
        with process.uninterrupted():
            exit_code, errors = start_shim(self._spec)
        if exit_code != 0:
            raise ReleaseFailed(f"{self.home.name} could not be started: {errors.strip() or exit_code}")

    def _write(self, spec: Spec) -> None:
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        atomic.write(self._spec, json.dumps(spec.to_json(), indent=1), mode=0o600)


def _read(path: Path) -> dict[str, Json]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _alive(noted: Mapping[str, Json] | None) -> Identity | None:
    if not noted:
        return None
    identity = Identity(noted["pid"], noted["started"], noted["boot"])
    return identity if identity.alive() else None
