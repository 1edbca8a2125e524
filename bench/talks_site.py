"""The app of bench/talks under the engine, in a scratch folder: its own repository, state and port."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiimprove import build, config, process
from aiimprove.release import Release
from aiimprove.workspace import Workspace

APP = Path(__file__).with_name("talks")
_CONFIG = """
name = "talks"
[deploy]
watch_seconds = 0
drain_seconds = {drain}
stop_seconds = 3
[services.talks]
folder = "app"
runtime = "python"
lock_files = ["requirements.txt"]
install = ["{{python}}", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"]
start = ["{{python}}", "-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port", "{{port}}",
         "--timeout-keep-alive", "75", "--no-access-log", "--log-level", "warning"]
live_port = {live}
dev_port = {dev}
health = "/health"
[services.talks.env]
ROWS = "{{data}}/rows.txt"
"""


@dataclass
class Talks:
    """`engine` works in this process; `rows` is where the app notes what it acknowledged."""

    folder: Path
    engine: Workspace
    port: int

    @property
    def rows(self) -> Path:
        return self.engine.data("live") / "rows.txt"

    def another_release(self) -> Release:
        with (self.folder / "app" / "app.py").open("a") as file:
            file.write("# one more line\n")
        return build.build(self.engine.config, self.engine.repository, _commit(self.folder), self.engine.box,
                           self.engine.progress, trusted=True)


@contextmanager
def talks(drain_seconds: float = 3.0) -> Iterator[Talks]:
    """The app, live and without a loop; everything is stopped and removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-talks-") as scratch:
        folder, state = Path(scratch) / "repository", Path(scratch) / "state"
        shutil.copytree(APP, folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
        live, dev = process.free_ports(2)
        (folder / "config.toml").write_text(_CONFIG.format(drain=drain_seconds, live=live, dev=dev))
        subprocess.run(["git", "init", "-q", "-b", "main"], cwd=folder, check=True)
        _commit(folder)
        os.environ["AIIMPROVE_STATE"] = str(state)
        _verb(folder, "up", "--without-loop")
        try:
            yield Talks(folder, Workspace(config.load(folder), "bench"), live)
        finally:
            _verb(folder, "down")


def _commit(folder: Path) -> str:
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "commit.gpgSign=false"]
    for words in (["add", "-A"], ["commit", "-q", "-m", "a release"]):
        subprocess.run([*git, *words], cwd=folder, check=True)
    return subprocess.run([*git, "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True,
                          text=True).stdout.strip()


def _verb(folder: Path, *words: str) -> None:
    done = subprocess.run([sys.executable, "-P", "-m", "commands.app", *words, "--json"], cwd=folder,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
