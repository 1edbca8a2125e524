"""The watch over a new release: a lease that the gateway's shim guards (shim/lease.py)."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiimprove import atomic
from aiimprove.finding import Json
from aiimprove.process import boot_id
from aiimprove.release import Environment


@dataclass(frozen=True)
class Watch:
    """When nobody renews it, traffic of `environment` returns to generation `back_to`, once every url of `check`
    (health of the stable release, on its private ports) answers 200."""

    deployment: str
    back_to: int
    check: tuple[str, ...]
    environment: Environment = Environment.LIVE


@dataclass(frozen=True)
class Returned:
    """What the shim did when a watch lapsed; `at` is the time of the wall clock."""

    deployment: str
    at: float
    why: str


class Lease:
    """watch.json and returned.json in a gateway's folder; every change is made under its lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._watch, self._returned = folder / "watch.json", folder / "returned.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps everybody else, the shim too, from changing traffic. Only for moments."""
        with open(self._folder / "watch.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def hold(self, watch: Watch, seconds: float) -> None:
        with self.locked():
            self._write(watch, seconds)

    def renew(self, deployment: str, seconds: float) -> bool:
        """False when the watch has lapsed, or is another deployment's: then nothing may be switched any more."""
        with self.locked():
            watch = self.held()
            if watch is None or watch.deployment != deployment:
                return False
            self._write(watch, seconds)
            return True

    def is_of(self, deployment: str) -> bool:
        """Whether this deployment's watch is held."""
        watch = self.held()
        return watch is not None and watch.deployment == deployment

    def release(self, deployment: str) -> bool:
        """Ends the watch; False when it has lapsed before."""
        with self.locked():
            return self.end(deployment)

    def end(self, deployment: str) -> bool:
        """`release` for whoever has the lock."""
        if not self.is_of(deployment):
            return False
        self._watch.unlink()
        return True

    def held(self) -> Watch | None:
        noted = _read(self._watch)
        if not noted:
            return None
        return Watch(noted["deployment"], int(Path(noted["back_to"]).name), tuple(noted["check"]),
                     Environment(noted["environment"]))

    def returned(self) -> Returned | None:
        noted = _read(self._returned)
        return Returned(noted["deployment"], noted["at"], noted["why"]) if noted else None

    def acknowledge(self) -> None:
        self._returned.unlink(missing_ok=True)

    def _write(self, watch: Watch, seconds: float) -> None:
        atomic.write(self._watch, json.dumps({
            "deployment": watch.deployment, "environment": watch.environment.value, "boot": boot_id(),
            "back_to": str(Path("gen") / str(watch.back_to)), "check": list(watch.check),
            "until": time.clock_gettime(time.CLOCK_BOOTTIME) + seconds}))


def _read(path: Path) -> dict[str, Json]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
