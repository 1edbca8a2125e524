"""A FastAPI app running on a free port with the SQL recorder in it, as detectors meet it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from aiimprove.detectors import Subject, instrument
from aiimprove.probes import wait_until_healthy
from aiimprove.recording import NO_TRAFFIC, Traffic
from aiimprove.settings import Config, Service

APPS = Path(__file__).parent.parent / "apps"
BACKEND = APPS.parent.parent / "backend"


@cache
def app_python() -> str:
    """An interpreter with FastAPI, pytest and httpx: the backend's own, or one made for the tests."""
    own = BACKEND / ".venv" / "bin" / "python"
    files = sorted(BACKEND.glob("requirements*.txt"))
    return str(own) if own.exists() else made_python("-r", str(BACKEND / "requirements-dev.txt"), because=files)


@cache
def frameworks_python() -> str:
    """An interpreter with Flask, Django and pytest."""
    return made_python("flask", "django>=5,<6", "pytest")


def made_python(*wanted: str, because: Sequence[Path] = ()) -> str:
    """An interpreter with these packages, made once beside ours and again when a file changes that it is made of."""
    known = hashlib.sha256(b"\0".join([*map(str.encode, wanted), *(file.read_bytes() for file in because)]))
    folder = Path(sys.prefix) / f"apps-{known.hexdigest()[:12]}"
    python, made = folder / "bin" / "python", folder / "made"
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            venv.create(folder, clear=True)
            pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
            subprocess.run([*pip, "install", "--quiet", *wanted], check=True, timeout=300)
            made.touch()
    return str(python)


@dataclass
class Stand:
    """Where an app stands, and how it is started: `entry` as uvicorn takes it. Log and recorder stand beside `data`."""

    source: Path
    data: Path
    python: str
    entry: str = "main:app"
    options: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    service: Service = field(default_factory=Service)
    live_logs: Mapping[str, Path] = field(default_factory=dict)
    traffic: Traffic = NO_TRAFFIC
    words: tuple[str, ...] = ()
    """Starts it otherwise than by uvicorn, with {port} in some word."""

    @property
    def log(self) -> Path:
        return self.data.parent / f"{self.data.name}.log"


@contextmanager
def running(stand: Stand) -> Iterator[Subject]:
    """The app, healthy, as the subject of detectors; ended afterwards."""
    config = Config(name="stand", services={"backend": stand.service}, logs_folder=stand.data.parent / "logs")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    argv = [stand.python, "-m", "uvicorn", stand.entry, "--host", "127.0.0.1", "--port", str(port), *stand.options]
    argv = [stand.python, *(word.replace("{port}", str(port)) for word in stand.words)] if stand.words else argv
    env = {"PATH": os.environ["PATH"], "HOME": str(stand.data), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1",
           **instrument(config, stand.data.parent / "recorder").get("backend", {}), **stand.env}
    with stand.log.open("ab") as log:
        process = subprocess.Popen(argv, cwd=stand.source / stand.service.folder, env=env, stdout=log, stderr=log)
    try:
        wait_until_healthy([url + stand.service.health], 2, 30, alive=lambda: process.poll() is None)
        release = SimpleNamespace(id="r", commit="c", services={}, dependencies={}, artifact="a")
        copy = SimpleNamespace(release=release, urls={"backend": url}, data=stand.data, logs={"backend": stand.log},
                               commit="c")
        yield Subject(config, copy, stand.source, stand.live_logs,  # type: ignore[arg-type]
                      stand.data.parent / "recorder", stand.traffic)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
