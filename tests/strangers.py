"""Repositories of strangers, made of the apps in tests/apps, and `init` called in them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tiny import CALL, PERSON

APPS = Path(__file__).parent / "apps"


class Stranger:
    """A repository below `root` with one commit, and a home and a state folder beside it."""

    def __init__(self, root: Path, *apps: str, files: Mapping[str, str] = {}, without: Iterable[str] = ()) -> None:
        """One app stands at the top; several each in a folder of their own name. `without` names what is left out."""
        self.folder, self.state = root / "repository", root / "state"
        for app in apps:
            place = self.folder if len(apps) == 1 else self.folder / app
            shutil.copytree(APPS / app, place, ignore=shutil.ignore_patterns("__pycache__", *without))
        for path, text in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text)
        (root / "home").mkdir()
        self.env = {"PATH": os.environ["PATH"], "HOME": str(root / "home"), "LANG": "C.UTF-8",
                    "AIIMPROVE_STATE": str(self.state)}
        self.git("init", "-q", "-b", "main")
        self.commit()

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", "-C", str(self.folder), *words], env={"PATH": os.environ["PATH"], **PERSON},
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "first")

    def call(self, *words: str, seconds: float = 240.0) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*CALL, *words], cwd=self.folder, env=self.env, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=seconds)

    def init(self, *words: str) -> dict[str, Any]:
        """What `init --json` says."""
        done = self.call("init", "--json", *words)
        assert done.stdout, done
        return dict(json.loads(done.stdout))

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"
