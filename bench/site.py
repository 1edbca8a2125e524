"""The bundled site, for real, in a scratch folder: its own repository, state, ports and operator."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[1]
KEPT_ON_RESET = ("dependencies", "artifacts", "tests")
_PORTS = iter(random.sample(range(21000, 32000), 500))
_FAST = """
[deploy]
watch_seconds = {watch}

[intervals]
health = 5
approvals = 1
"""


@dataclass
class Site:
    """`folder` is a repository of its own with the files of this one; `env` is what the command line gets."""

    folder: Path
    state: Path
    ports: Mapping[str, int]
    token: str = ""
    env: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(cls, scratch: Path, *, watch: float = 3.0, source: Path = SOURCE) -> Site:
        """A copy of the files that git knows, committed, on free ports. Nothing runs yet."""
        folder, state = scratch / "site", scratch / "state"
        names = subprocess.run(["git", "ls-files", "-z"], cwd=source, capture_output=True, check=True, text=True)
        for name in filter(None, names.stdout.split("\0")):
            if (source / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source / name, folder / name, follow_symlinks=False)
        ports = _with_own_ports(folder / "config.toml", watch)
        home = scratch / "home"
        home.mkdir(exist_ok=True)
        env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "AIIMPROVE_STATE": str(state)}
        site = cls(folder, state, ports, env=env)
        site.git("init", "-q", "-b", "main")
        site.commit("first")
        return site

    def git(self, *words: str) -> str:
        identity = ("-c", "user.name=tester", "-c", "user.email=tester@localhost", "-c", "commit.gpgSign=false")
        done = subprocess.run(["git", *identity, *words], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def url(self, service: str, environment: str = "live") -> str:
        return f"http://127.0.0.1:{self.ports[f'{service}.{environment}']}"

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-P", "-m", "commands.app", *words]

    def run(self, *words: str, token: bool = False, seconds: float = 600.0) -> dict[str, Any]:
        """Run a verb with --json and return its envelope; with `token`, as an operator."""
        extra = ["--json", *(["--token-stdin"] if token else [])]
        done = subprocess.run(self.command(*words, *extra), cwd=self.folder, env=self.env, capture_output=True,
                              text=True, timeout=seconds, input=f"{self.token}\n")
        if not done.stdout.strip():
            raise AssertionError(f"{' '.join(words)} said nothing on stdout: {done.stderr[-2000:]}")
        envelope: dict[str, Any] = json.loads(done.stdout)
        return envelope

    def must(self, *words: str, token: bool = False) -> dict[str, Any]:
        """`run`, and its data; an AssertionError when it did not end well."""
        envelope = self.run(*words, token=token)
        assert envelope["exit_code"] == 0, envelope["errors"]
        data: dict[str, Any] = envelope["data"]
        return data

    def add_operator(self) -> str:
        """Make an operator as a person would: by typing yes at a terminal."""
        self.token = re.findall(r"aiop_[\w-]+", self.typed("yes\n", "operator", "add", "tester", "--json"))[0]
        return self.token

    def typed(self, answer: str, *words: str, seconds: float = 60.0) -> str:
        """What a verb prints at a terminal where somebody types `answer`."""
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.folder)
            os.execve(sys.executable, self.command(*words), self.env)
        os.write(terminal, answer.encode())
        shown, deadline = b"", time.monotonic() + seconds
        while time.monotonic() < deadline:
            ready, _, _ = select.select([terminal], [], [], 1.0)
            try:
                piece = os.read(terminal, 65536) if ready else b""
            except OSError:
                break
            shown += piece
        os.waitpid(child, 0)
        os.close(terminal)
        return shown.decode(errors="replace")

    def improvement(self, name: str) -> dict[str, Any]:
        return self.must("show", name)

    def stop_loop(self) -> None:
        """End `run` (and its shim), so that a test takes each step by itself."""
        from aiimprove.shim.kept import Kept

        Kept(self.state / "run" / "loop").stop()

    def reset(self) -> None:
        """Stop everything and forget everything but what was built."""
        self.run("down")
        for each in self.state.iterdir():
            if each.name not in KEPT_ON_RESET:
                shutil.rmtree(each) if each.is_dir() else each.unlink()


@contextmanager
def running(scratch: Path, *, watch: float = 3.0) -> Iterator[Site]:
    """A site that is up, with an operator; stopped afterwards, whatever happened."""
    site = Site.create(scratch, watch=watch)
    try:
        site.must("up")
        site.add_operator()
        yield site
    finally:
        site.run("down")


def until(question: Callable[[], Any], seconds: float, what: str) -> Any:
    """Ask until the answer is true, and return it; an AssertionError that names `what` when time is over."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:.0f} s: {what}")
        time.sleep(0.1)
    return answer


def _with_own_ports(config: Path, watch: float) -> dict[str, int]:
    ports: dict[str, int] = {}
    service, lines = "", []
    for line in config.read_text().splitlines():
        found = re.match(r"\[services\.(\w+)\]", line)
        service = found.group(1) if found else service
        public = re.match(r"(live|dev)_port = \d+", line)
        if public:
            ports[f"{service}.{public.group(1)}"] = port = _free_port()
            line = f"{public.group(1)}_port = {port}"
        lines.append(line)
    config.write_text("\n".join(lines) + "\n" + _FAST.format(watch=watch))
    return ports


def _free_port() -> int:
    for port in _PORTS:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
