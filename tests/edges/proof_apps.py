"""Small real applications in small real repositories, for the tests of building and proving."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

from aiimprove.repository import Repository
from aiimprove.settings import Config, Service

PERSON = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a",
          "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": "/dev/null", "PATH": "/usr/bin:/bin"}


class Home:
    """A repository, a config for it, and a state folder, all below one folder."""

    def __init__(self, root: Path, services: Mapping[str, Service], files: Mapping[str, str]) -> None:
        self.root, self.folder = root, root / "repository"
        self.folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.first = self.commit(files)
        self.repository = Repository(self.folder)
        self.config = replace(Config(), services=dict(services), repository=self.folder, state_folder=root / "state",
                              logs_folder=root / "logs")
        (root / "state").mkdir()

    def configured(self, **changes: object) -> Config:
        return replace(self.config, **changes)  # type: ignore[arg-type]

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", "-C", str(self.folder), *words], env=PERSON, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | None]) -> str:
        """A commit on top of the last one, in which these files hold these texts (None: gone)."""
        for path, text in files.items():
            target = self.folder / path
            if text is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(dedent(text))
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")


def quiet(message: str) -> None:
    """Progress that nobody watches."""
