"""The dependencies of a service: a virtual environment or node_modules, kept by the content of what asks for them."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from functools import cache
from os import getuid
from pathlib import Path
from pwd import getpwuid

from aiimprove import process
from aiimprove.build.locks import exclusive
from aiimprove.build.step import Step, built_once, take
from aiimprove.errors import BuildFailed
from aiimprove.finding import digest_of
from aiimprove.launch import SYSTEM_PATH, fill
from aiimprove.repository import Repository
from aiimprove.sandbox import Box
from aiimprove.settings import Config, Service

OURS = "python3"
"""This name means the Python that aiimprove itself was made with: the same in a terminal and under cron."""

INSTALLER = Path(__file__).with_name("installer.py")
"""What {installer} stands for: it installs what pyproject.toml or a Pipfile asks for, without the project."""

NODE_PROGRAMS = ("node", "npm", "npx")


@dataclass(frozen=True)
class Interpreter:
    program: str
    version: str


def interpreter(service: Service) -> Interpreter:
    """Who runs this service's code. Raises BuildFailed when it is not installed."""
    if service.runtime == "python":
        base = str(getattr(sys, "_base_executable", sys.executable))
        name = base if service.interpreter == OURS else service.interpreter
        return _asked(name, ("-I", "-c", "import sys; print(sys.version, sys.prefix)"))
    if service.runtime == "node":
        return _asked("node", ("--version",))
    return Interpreter("", "")


@cache
def _asked(name: str, words: tuple[str, ...]) -> Interpreter:
    program = name if name.startswith("/") else shutil.which(name, path=SYSTEM_PATH) or shutil.which(name)
    if not program:
        raise BuildFailed(f"{name} is not installed: the app needs it")
    done = process.run([program, *words], cwd=Path("/"), env={"PATH": SYSTEM_PATH}, deadline=30)
    if done.exit_code:
        raise BuildFailed(f"{program} does not run: {done.errors.strip()}")
    return Interpreter(program, done.output.strip())


def digest(config: Config, repository: Repository, commit: str, name: str) -> str:
    """What the dependencies of a service in a commit are kept under; empty when it has none."""
    service = config.services[name]
    if not service.install:
        return ""
    locks = {file: repository.tree(commit, f"{service.folder}/{file}") for file in service.lock_files}
    return digest_of([service.runtime, service.install, locks, interpreter(service).version])


@dataclass(frozen=True)
class Install:
    """Installs what a commit's lock files ask for. `trusted` installs run outside the box, with the package clients'
    settings in the user's home; all others run in it, with a network and nothing else."""

    config: Config
    repository: Repository
    commit: str
    box: Box
    trusted: bool = False

    def run(self, name: str, found: str) -> None:
        """Makes sure that `dependencies/<found>` is there and whole. Raises BuildFailed and leaves nothing."""
        folder = self.config.state_folder / "dependencies" / found
        if not found or (folder / ".complete").exists():
            return
        with exclusive(folder.with_name(f"{found}.lock")):
            built_once(folder / ".complete", folder, lambda: self._install(name, folder))

    def _install(self, name: str, folder: Path) -> None:
        service = self.config.services[name]
        for file in service.lock_files:
            content = self.repository.read(self.commit, f"{service.folder}/{file}")
            if content is not None:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_bytes(content)
        if service.runtime == "python":
            self._take(name, folder, "the virtual environment", interpreter(service).program, "-m", "venv", str(folder))
        if service.runtime == "node":
            _link_node(folder / "bin", Path(interpreter(service).program))
        values = {"python": str(folder / "bin" / "python"), "dependencies": str(folder), "folder": str(folder),
                  "installer": str(INSTALLER)}
        self._take(name, folder, "the installation", *fill(service.install, values))

    def _take(self, name: str, folder: Path, what: str, *argv: str) -> None:
        home = Path(getpwuid(getuid()).pw_dir) if self.trusted else folder / ".home"
        step = Step(what, name, argv, folder, home, [folder / "bin", folder / "node_modules" / ".bin"], [folder],
                    [INSTALLER], network="host")
        log = self.config.logs_folder / f"build-{name}-{folder.name[:8]}.log"
        take(step, Box("none") if self.trusted else self.box, self.config.proof.build_seconds, log)
        shutil.rmtree(folder / ".home", ignore_errors=True)


def _link_node(folder: Path, node: Path) -> None:
    """Node stands in many places (nvm, volta, a package): from here on the app finds it beside its modules."""
    folder.mkdir(exist_ok=True)
    for name in NODE_PROGRAMS:
        if (node.parent / name).exists() and not (folder / name).is_symlink():
            (folder / name).symlink_to(node.parent / name)
