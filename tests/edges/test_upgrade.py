"""Two real versions, installed by pip one after the other in an environment of their own, while visitors post."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest
from tiny import Tiny

from aiimprove.lock import holder
from aiimprove.process import Identity
from aiimprove.shim.kept import Kept

ROOT = Path(__file__).parent.parent.parent


def wheel(folder: Path, version: str, edits: dict[str, tuple[str, str]]) -> Path:
    """The tree as it is, with another version and these edits, as a wheel."""
    source = folder / f"source-{version}"
    for name in ("aiimprove", "commands"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source / name)
    for path, (old, new) in {"pyproject.toml": ('version = "0.1.0"', f'version = "{version}"'),
                             "aiimprove/__init__.py": ('"0.1.0"', f'"{version}"'), **edits}.items():
        text = (source / path).read_text()
        assert old in text, path
        (source / path).write_text(text.replace(old, new))
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
                    "--disable-pip-version-check", "-w", str(folder), str(source)], check=True)
    return next(folder.glob(f"aiimprove-{version}-*.whl"))


SIGNED = {"aiimprove/shim/keeping.py": ('"stopped": stopped})', '"stopped": stopped, "kept_by": "0.2.0"})')}
BROKEN = {"aiimprove/shim/daemon.py": ("    shim = Shim(home)\n", "    raise SystemExit(3)\n"),
          "aiimprove/store/migrations.py": ("(M001_FIRST,", '(M001_FIRST, "CREATE TABLE of_the_next (id TEXT);\\n",')}
"""It migrates the state, and then its shims do not start."""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel(tmp_path_factory.mktemp("wheels"), "0.1.0", {})


class Installed(Tiny):
    """The app, looked after by an aiimprove that pip installed in `venv`; its dependencies are those of the tests."""

    def install(self, wheel: Path) -> None:
        self.venv = self.root / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(self.venv)], check=True)
        site = next((self.venv / "lib").glob("python3*/site-packages"))
        ours = next((Path(sys.prefix) / "lib").glob("python3*/site-packages"))
        (site / "dependencies.pth").write_text(f"{ours}\n")
        (self.venv / "bin" / "caddy").symlink_to(Path(sys.prefix) / "bin" / "caddy")
        subprocess.run([str(self.python), "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check",
                        str(wheel)], check=True)

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    def start(self, *words: str, env: Any = None, **how: Any) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([str(self.python), "-P", "-m", "commands.app", *words], cwd=self.folder,
                                env=self.env | dict(env or {}), **pipes | how)

    def version(self) -> str:
        return self.call("--version").output.strip()

    def kept(self) -> dict[str, Kept]:
        run = self.state / "run"
        return {str(each.parent.relative_to(run)): Kept(each.parent) for each in sorted(run.rglob("spec.json"))}

    def kept_by(self) -> set[str]:
        """The versions of the shims that keep what serves."""
        return {json.loads((kept.home / "state.json").read_text()).get("kept_by", "0.1.0")
                for kept in self.kept().values() if kept.state().shim}


class Posts:
    """Visitors who post over connections that stay open, and never twice."""

    def __init__(self, port: int) -> None:
        self._port, self._over = port, threading.Event()
        self.lost: list[str] = []
        self.acknowledged: list[str] = []
        self._threads = [threading.Thread(target=self._visit, args=(number,)) for number in range(4)]

    def __enter__(self) -> Posts:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _visit(self, visitor: int) -> None:
        connection, number = HTTPConnection("127.0.0.1", self._port, timeout=30), 0
        while not self._over.wait(0.01):
            number += 1
            text = f"{visitor} {number}"
            try:
                connection.request("POST", "/notes", json.dumps({"tag": "load", "text": text}))
                answer = connection.getresponse()
                answer.read()
            except (OSError, HTTPException) as error:
                self.lost.append(repr(error))
                connection.close()
                continue
            if answer.status == 201:
                self.acknowledged.append(text)
            else:
                self.lost.append(f"answered {answer.status}")
        connection.close()

    def must_have_lost_nothing(self, tiny: Tiny) -> None:
        with closing(sqlite3.connect(f"file:{tiny.state}/data/live/notes.db?mode=ro", uri=True)) as database:
            rows = [row[0] for row in database.execute("SELECT text FROM notes WHERE tag = 'load'")]
        assert self.lost == [] and len(self.acknowledged) > 20
        assert sorted(rows) == sorted(self.acknowledged)


@pytest.fixture
def site(tmp_path: Path, old: Path) -> Iterator[Installed]:
    found = Installed(tmp_path)
    found.install(old)
    said = found.call("up", "--json")
    assert said.exit_code == 0, said
    yield found
    found.call("down")


def programs(site: Installed) -> dict[str, Identity | None]:
    """What serves visitors."""
    return {name: kept.state().program for name, kept in site.kept().items()
            if name.startswith(("gateway", "slots/live"))}


def loop_of(site: Installed) -> Identity:
    with closing(site.store()) as store:
        deadline = time.monotonic() + 20
        while (found := holder(store, "run")) is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert found
        return found.process


@pytest.mark.slow
def test_another_version_and_back(site: Installed, tmp_path: Path) -> None:
    nothing_changes_for_a_spec_that_pip_does_not_find(site)
    new = wheel(tmp_path, "0.2.0", SIGNED)
    before, loop = programs(site), loop_of(site)
    assert all(before.values()) and site.kept_by() == {"0.1.0"}
    with Posts(site.live_port) as posts:
        said = site.call("upgrade", "--from", str(new), "--json")
        assert said.exit_code == 0, said
        assert (said.data["before"], said.data["after"]) == ("0.1.0", "0.2.0")
        assert {"gateway/shim", "slots/live/blue/app", "loop", "run"} <= set(said.data["renewed"])
        assert site.version() == "0.2.0" and site.kept_by() == {"0.2.0"}
        assert programs(site) == before, "no service of the app and no gateway was started again"
        assert loop_of(site) == loop, "the loop began anew in its own process"
        back = site.call("upgrade", "--back", "--json")
        assert back.exit_code == 0, back
        assert site.version() == "0.1.0" and site.kept_by() == {"0.1.0"}
    posts.must_have_lost_nothing(site)
    assert programs(site) == before


def nothing_changes_for_a_spec_that_pip_does_not_find(site: Installed) -> None:
    shims = {name: kept.state().shim for name, kept in site.kept().items()}
    said = site.call("upgrade", "--from", str(site.root / "no-such.whl"), "--json")
    assert said.exit_code == 5 and "pip could not install" in said.error["message"]
    assert site.version() == "0.1.0" and not (site.root / "venv.before").exists()
    assert {name: kept.state().shim for name, kept in site.kept().items()} == shims


def test_a_checkout_takes_over_as_it_is(tiny: Tiny) -> None:
    """Nothing is installed: the code of a working tree is new already."""
    try:
        assert tiny.call("up", "--without-loop", "--json").exit_code == 0
        kept = Kept(tiny.state / "run/slots/live/blue/app")
        before = kept.state()
        with Posts(tiny.live_port) as posts:
            said = tiny.call("upgrade", "--json")
        posts.must_have_lost_nothing(tiny)
        assert "slots/live/blue/app" in said.data["renewed"] and said.data["before"] == said.data["after"]
        assert kept.state().program == before.program and kept.state().shim not in (None, before.shim)
        assert tiny.call("upgrade", "--back", "--json").exit_code == 3
    finally:
        tiny.call("down")


@pytest.mark.slow
def test_a_version_that_does_not_work_goes_back(site: Installed, tmp_path: Path) -> None:
    broken = wheel(tmp_path, "0.3.0", BROKEN)
    before = programs(site)
    with Posts(site.live_port) as posts:
        said = site.call("upgrade", "--from", str(broken), "--json")
        assert said.exit_code == 5 and "Version 0.1.0 is back" in said.error["message"], said
        assert site.version() == "0.1.0" and site.kept_by() == {"0.1.0"}
        assert (site.state / "state.schema-1.db").exists(), "the version that failed had migrated the state"
        assert site.call("findings", "--json").exit_code == 0, "and it is back as this version reads it"
    posts.must_have_lost_nothing(site)
    assert programs(site) == before
