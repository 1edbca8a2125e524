"""Repositories, configs and places that are not as they should be: one clear sentence, and nothing started or lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny import Tiny

from aiimprove.config import load
from aiimprove.errors import ConfigError
from aiimprove.improvement import Status
from aiimprove.store import Store, StoreDamaged


def _without_git(tiny: Tiny) -> None:
    (tiny.root / "bin").mkdir()
    (tiny.root / "bin" / "python3").symlink_to(str(shutil.which("python3")))
    tiny.env["PATH"] = str(tiny.root / "bin")


def _damaged(tiny: Tiny) -> None:
    for file in (tiny.folder / ".git" / "objects").rglob("*"):
        if file.is_file():
            file.chmod(0o600)
            file.write_bytes(b"junk")


@pytest.mark.parametrize("spoil, exit_code, sentence", [
    (_without_git, 2, "git is not installed"),
    (_damaged, 3, "the repository is damaged"),
    (lambda tiny: tiny.git("branch", "ai"), 3, "the branch ai is in the way"),
    (lambda tiny: tiny.git("branch", "aiimprove"), 3, "the branch aiimprove is in the way"),
], ids=["no git", "damaged", "a branch ai", "a branch aiimprove"])
def test_a_repository_that_cannot_be_used(tiny: Tiny, spoil: Callable[[Tiny], object], exit_code: int,
                                          sentence: str) -> None:
    spoil(tiny)
    said = tiny.call("up", "--json")
    assert said.exit_code == exit_code and sentence in said.error["message"] and "\n" not in said.error["message"]
    assert not (tiny.state / "run" / "gateway").exists()


def test_a_folder_with_odd_letters_is_a_folder(tiny: Tiny) -> None:
    odd = tiny.root / "a $HOME it's ü"
    tiny.folder.rename(odd)
    tiny.folder = odd
    assert tiny.call("generate", "--json").error["message"].startswith("nothing is live yet")


@pytest.mark.parametrize("old, new, sentence", [
    ('"app.py"', '"a\\u0000b"', "services.app.start must not hold a NUL character"),
    ('"/health"', '"/he alth"', "must start with '/' and hold no blanks"),
    ('"/health"', '"/h\\r\\nX: y"', "must start with '/' and hold no blanks"),
    ("TINY_DB", '"A=B"', "cannot be the name of a variable"),
    ("watch_seconds = 1", "watch_seconds = 1e300", "watch_seconds must be from 0 to 1000000000"),
    ("services.app]", "services." + "a" * 300 + "]", "at most 64 of them"),
    ("[services.app.env]", 'writable = ["uploads"]\n[services.app.env]', "writable must be full paths"),
])
def test_values_that_no_program_could_take(tiny: Tiny, old: str, new: str, sentence: str) -> None:
    tiny.edit("config.toml", old, new)
    with pytest.raises(ConfigError) as caught:
        load(tiny.folder)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_a_config_without_an_end(tiny: Tiny) -> None:
    (tiny.folder / "config.toml").write_text("a = " + "[" * 100_000)
    with pytest.raises(ConfigError, match="nested too deeply"):
        load(tiny.folder)


def test_only_damage_is_called_damage(tmp_path: Path) -> None:
    """Whose disk is full must not be told to move the state away."""
    Store(tmp_path / "state.db").close()
    program = ("import resource, signal, sys, pathlib; from aiimprove.store import Store\n"
               "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
               "Store(pathlib.Path(sys.argv[1]))")
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "state.db")], text=True,
                          capture_output=True, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])})
    assert done.returncode and "sqlite3.OperationalError" in done.stderr and "StoreDamaged" not in done.stderr
    (tmp_path / "state.db").write_bytes(b"junk" * 1000)
    with pytest.raises(StoreDamaged):
        Store(tmp_path / "state.db")


def test_a_commit_that_fails_leaves_no_transaction_open(store: Store) -> None:
    store.connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    store.connection.execute("CREATE TABLE child (of INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
    store.connection.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(Exception, match="FOREIGN KEY"), store.transaction() as connection:
        connection.execute("INSERT INTO child VALUES (1)")
    store.set_fact("still", "works")
    assert not store.connection.in_transaction and store.fact("still") == "works"


def test_a_rollback_is_no_way_around_an_approval(tiny: Tiny) -> None:
    from aiimprove.build import build

    tiny.pretend_live()
    commit = tiny.commit({"app/new.txt": "new"})
    workspace = tiny.workspace()
    release = build(workspace.config, workspace.repository, commit, workspace.box, print)
    tiny.plant(Status.FAILED, release=release.id, commit=commit)
    said = tiny.call("rollback", "--to", release.id, "--json", "--token-stdin", stdin=tiny.operator())
    assert said.exit_code == 3 and "was never approved" in said.error["message"]
