"""A small app of a stranger in a repository of its own, and the command line called on it as people call it."""

from __future__ import annotations

import copy
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template
from typing import Any

from aiimprove import config
from aiimprove.evidence import Check, Evidence, Verdict
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.improvement import Improvement, Status
from aiimprove.policy import REQUIRED
from aiimprove.process import free_ports
from aiimprove.proving import judge_digest
from aiimprove.settings import Config
from aiimprove.store import Store
from aiimprove.workspace import Workspace

APP = Path(__file__).parent / "apps" / "tiny"
PYTHON = str(getattr(sys, "_base_executable", sys.executable))
CALL = (sys.executable, "-P", "-m", "commands.app")
PERSON = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a",
          "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
SQL = "SELECT text FROM notes WHERE tag = 'home' ORDER BY id LIMIT 20"
FINDING = Finding(
    "slow_sql", Kind.PERFORMANCE, "missing-index", "app/notes.db:notes(tag)", "Index notes by tag",
    "A statement reads all of notes.", Probe("query-plan", "app", {"database": "notes.db", "sql": SQL},
                                             {"no_scan_of": "notes"}), 20.0,
    {"service": "app", "database": "notes.db", "table": "notes", "columns": ["tag"], "index": "notes_by_tag",
     "sql": SQL, "index_sql": "CREATE INDEX IF NOT EXISTS notes_by_tag ON notes (tag)"})


@dataclass(frozen=True)
class Said:
    """What a call of the command line printed, and how it ended."""

    exit_code: int
    output: str
    errors: str

    @property
    def envelope(self) -> dict[str, Any]:
        """The one envelope; fails when stdout holds anything else."""
        assert self.output.endswith("\n") and self.output.count("\n") == 1, self
        found = json.loads(self.output)
        assert list(found) == ["aiimprove", "command", "status", "exit_code", "data", "errors"], found
        assert found["aiimprove"] == 1 and found["exit_code"] == self.exit_code, (found, self)
        words = {0: "ok", 3: "refused", 4: "failed", 5: "failed"}
        assert found["status"] == words.get(self.exit_code, "error") and bool(found["errors"]) == (self.exit_code != 0)
        return dict(found)

    @property
    def data(self) -> dict[str, Any]:
        assert self.exit_code == 0, self
        return dict(self.envelope["data"])

    @property
    def error(self) -> dict[str, str]:
        return dict(self.envelope["errors"][0])


class Tiny:
    """The app in a git repository below `root`, with its state folder and a home beside it."""

    def __init__(self, root: Path, *, commit: bool = True) -> None:
        self.root, self.folder, self.state = root, root / "repository", root / "state"
        self.live_port, self.dev_port = free_ports(2)
        shutil.copytree(APP, self.folder, ignore=shutil.ignore_patterns("__pycache__"))
        filled = Template((APP / "config.toml").read_text()).substitute(
            python=PYTHON, live_port=self.live_port, dev_port=self.dev_port)
        (self.folder / "config.toml").write_text(filled)
        (root / "home").mkdir()
        self.git("init", "-q", "-b", "main")
        self.env = {"PATH": os.environ["PATH"], "HOME": str(root / "home"), "LANG": "C.UTF-8",
                    "AIIMPROVE_STATE": str(self.state)}
        self.operators: list[str] = []
        if commit:
            self.commit({})

    def copy(self, root: Path) -> Tiny:
        """The same app in another place, where nothing of it has run yet."""
        shutil.copytree(self.root, root, symlinks=True, dirs_exist_ok=True)
        other = copy.copy(self)
        other.root, other.folder, other.state = root, root / "repository", root / "state"
        other.env = self.env | {"HOME": str(root / "home"), "AIIMPROVE_STATE": str(other.state)}
        other.operators = list(self.operators)
        return other

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", "-C", str(self.folder), *words], env={"PATH": os.environ["PATH"], **PERSON},
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str]) -> str:
        for path, text in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def edit(self, path: str, old: str, new: str) -> None:
        """Change a file of the working tree."""
        file = self.folder / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def start(self, *words: str, env: Mapping[str, str] | None = None, **how: Any) -> subprocess.Popen[str]:
        """A call under way; both streams are pipes."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([*CALL, *words], cwd=how.pop("cwd", self.folder), env=self.env | dict(env or {}),
                                **pipes | how)

    def call(self, *words: str, stdin: str = "", seconds: float = 90.0, env: Mapping[str, str] | None = None,
             **how: Any) -> Said:
        """Call the command line without a terminal and wait for its end."""
        process = self.start(*words, env=env, **how)
        try:
            output, errors = process.communicate(stdin, seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            output, errors = process.communicate()
            raise AssertionError(f"{words} still ran after {seconds} s: {output} {errors}") from None
        return Said(process.returncode, output, errors)

    def config(self) -> Config:
        return replace(config.load(self.folder), state_folder=self.state, logs_folder=self.state / "logs")

    def workspace(self) -> Workspace:
        return Workspace(self.config(), "test")

    def store(self) -> Store:
        return Store(self.state / "state.db")

    def operator(self) -> str:
        """The token of a new operator."""
        from aiimprove import operators

        name = f"operator{len(self.operators)}"
        self.operators.append(name)
        store = self.store()
        try:
            return operators.add(store, name, "test")
        finally:
            store.close()

    def plant(self, status: Status = Status.PROPOSED, name: str = "index", **changes: Any) -> Improvement:
        """An improvement in some status, as earlier commands would have left it."""
        commit = self.git("rev-parse", "HEAD")
        evidence = proven(commit, judge_digest(self.config()))
        known = {"base_commit": commit, "commit": commit, "digest": "d" * 64, "artifact": "a", "release": "r-none",
                 "evidence": evidence} if status not in (Status.PROPOSED, Status.NEEDS_AUTHOR) else {}
        store = self.store()
        try:
            return store.add(Improvement(**{"id": name, "finding": FINDING, "status": status, **known, **changes}),
                             "test")
        finally:
            store.close()

    def pretend_live(self) -> str:
        """HEAD built and noted as live, with nothing running: what stages need that only look at the state."""
        from aiimprove.build import build
        from aiimprove.workspace import LIVE_COMMIT, LIVE_RELEASE

        workspace = self.workspace()
        release = build(workspace.config, workspace.repository, self.git("rev-parse", "HEAD"), workspace.box, str)
        workspace.store.add_release(release)
        workspace.store.set_fact(LIVE_RELEASE, release.id)
        workspace.store.set_fact(LIVE_COMMIT, release.commit)
        workspace.store.close()
        return release.id


def proven(commit: str, judge: str = "judge") -> Evidence:
    checks = tuple(Check(name, Verdict.PASSED, "good") for name in REQUIRED)
    return Evidence(commit, commit, checks, (), "a", judge, FINDING.probe.digest(), time.time())
