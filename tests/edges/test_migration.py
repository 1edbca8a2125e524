"""Bringing live's data up to a release: tried on a clone first, expand-only, backed up, and short."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import Tiny

from aiimprove import backups
from aiimprove.build import build
from aiimprove.errors import MigrationFailed
from aiimprove.migration import migrate_live
from aiimprove.rehearsal import migrate, rehearse
from aiimprove.release import Release
from aiimprove.settings import Limits
from aiimprove.workspace import Workspace


def release(tiny: Tiny, *scripts: str) -> Release:
    """A release of the app with further migrations."""
    for number, script in enumerate(scripts, start=2):
        (tiny.folder / "app" / "migrations" / f"{number:04}_more.sql").write_text(script)
    workspace = tiny.workspace()
    return build(workspace.config, workspace.repository, tiny.commit({}), workspace.box, str)


@pytest.fixture
def workspace(tiny: Tiny) -> Workspace:
    """With live data as the first release left it, and 3 notes in it."""
    found = tiny.workspace()
    assert migrate_live(found, release(tiny), "d-0") is None
    return found


def read(workspace: Workspace, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(workspace.data("live") / "notes.db")) as connection:
        return connection.execute(sql).fetchall()


def names(workspace: Workspace) -> set[object]:
    return {row[0] for row in read(workspace, "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")}


def test_new_data_is_made(workspace: Workspace) -> None:
    assert read(workspace, "SELECT count(*) FROM notes") == [(3,)]
    assert not (workspace.config.state_folder / "backups").exists()


def test_nothing_is_due(tiny: Tiny, workspace: Workspace) -> None:
    assert migrate_live(workspace, release(tiny), "d-1") is None
    assert not (workspace.config.state_folder / "backups").exists()


def test_what_only_adds_is_done_after_a_backup(tiny: Tiny, workspace: Workspace) -> None:
    kept = migrate_live(workspace, release(tiny, "CREATE INDEX by_tag ON notes (tag)",
                                           "ALTER TABLE notes ADD COLUMN done INTEGER NOT NULL DEFAULT 0"), "d-1")
    assert names(workspace) == {"notes", "by_tag"} and read(workspace, "SELECT max(done) FROM notes") == [(0,)]
    assert kept == workspace.config.state_folder / "backups" / "d-1"
    with closing(sqlite3.connect(kept / "notes.db")) as backup:
        assert backup.execute("SELECT count(*) FROM notes").fetchone() == (3,)
        assert backup.execute("SELECT count(*) FROM sqlite_master WHERE name = 'by_tag'").fetchone() == (0,)
    event = workspace.store.events("d-1")[-1]
    assert event.name == "data.backed_up" and event.body["bytes"] > 0 and event.body["lock_ms"] >= 0


@pytest.mark.parametrize("script", [
    "DROP TABLE notes", "ALTER TABLE notes DROP COLUMN text", "ALTER TABLE notes RENAME COLUMN text TO words",
    "ALTER TABLE notes RENAME TO messages", "DELETE FROM notes WHERE id = 1",
    "CREATE TABLE new (id INTEGER PRIMARY KEY, tag TEXT NOT NULL, text TEXT NOT NULL, due TEXT NOT NULL); "
    "INSERT INTO new SELECT id, tag, text, '' FROM notes; DROP TABLE notes; ALTER TABLE new RENAME TO notes"])
def test_what_the_version_that_serves_would_trip_over_is_refused(tiny: Tiny, workspace: Workspace, script: str) -> None:
    before = read(workspace, "SELECT * FROM notes"), names(workspace), read(workspace, "PRAGMA user_version")
    with pytest.raises(MigrationFailed, match="not expand-only, the release that serves would break: ") as caught:
        migrate_live(workspace, release(tiny, script), "d-1")
    assert "notes" in str(caught.value) and caught.value.exit_code == 5
    assert (read(workspace, "SELECT * FROM notes"), names(workspace), read(workspace, "PRAGMA user_version")) == before
    assert not (workspace.config.state_folder / "backups").exists()


def test_one_that_fails_leaves_live_as_it_was(tiny: Tiny, workspace: Workspace) -> None:
    with pytest.raises(MigrationFailed, match=r"the migrations of app failed: [\s\S]*no such table: nowhere"):
        migrate_live(workspace, release(tiny, "CREATE TABLE half (a)", "INSERT INTO nowhere VALUES (1)"), "d-1")
    assert names(workspace) == {"notes"}


SLOW = """CREATE TABLE filled AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)
SELECT i, hex(randomblob(20)) AS text FROM n"""


def test_the_time_writers_are_kept_out_is_measured_and_limited(tiny: Tiny, workspace: Workspace) -> None:
    slow, deploy = release(tiny, SLOW), replace(workspace.config.deploy, migration_lock_ms=20.0)
    seen = rehearse(workspace.config, slow, workspace.data("live"), tiny.root / "work", workspace.box)
    assert seen.lock_ms > 20 and seen.pending and seen.breaks == ()
    strict = replace(workspace, config=replace(workspace.config, deploy=deploy))
    with pytest.raises(MigrationFailed, match=r"keep writers out for \d+ ms \(measured on a clone; .* allows 20\)"):
        migrate_live(strict, slow, "d-1")
    assert names(workspace) == {"notes"}


def test_a_trial_does_not_touch_the_data(tiny: Tiny, workspace: Workspace) -> None:
    data = workspace.data("live")
    before = {path.name: path.read_bytes() for path in data.iterdir() if path.suffix == ".db"}
    seen = rehearse(workspace.config, release(tiny, "CREATE INDEX by_tag ON notes (tag)"), data, tiny.root / "work",
                 workspace.box)
    assert seen.pending and seen.breaks == () and not (tiny.root / "work").exists()
    assert {path.name: path.read_bytes() for path in data.iterdir() if path.suffix == ".db"} == before


def test_what_writers_commit_meanwhile_stays(tiny: Tiny, workspace: Workspace) -> None:
    file = workspace.data("live") / "notes.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("INSERT INTO notes (tag, text) VALUES ('home', 'only in the WAL')")
        kept = migrate_live(workspace, release(tiny, "CREATE INDEX by_tag ON notes (tag)"), "d-1")
        writer.execute("INSERT INTO notes (tag, text) VALUES ('home', 'later')")
        assert writer.execute("SELECT count(*) FROM notes").fetchone() == (5,)
    assert kept
    with closing(sqlite3.connect(kept / "notes.db")) as backup:
        assert backup.execute("SELECT count(*) FROM notes").fetchone() == (4,)


def test_only_the_newest_backups_are_kept(tiny: Tiny, workspace: Workspace) -> None:
    scripts = []
    few = replace(workspace, config=replace(workspace.config, limits=Limits(backups=2)))
    for number in range(4):
        scripts.append(f"CREATE TABLE t{number} (a)")
        migrate_live(few, release(tiny, *scripts), f"d-{number}")
    assert [kept.name for kept in backups.every(few.config)] == ["d-3", "d-2"]
    assert len(list((few.config.state_folder / "backups").iterdir())) == 4, "nothing but two folders and their notes"


def test_what_nobody_approved_migrates_in_the_box(tiny: Tiny, workspace: Workspace) -> None:
    if workspace.box.name == "none":
        pytest.skip("no box here")
    target = tiny.root / "outside"
    tiny.edit("app/migrate.py", "import glob\n", f"import glob\nopen({str(target)!r}, 'w').write('out')\n")
    data = tiny.root / "clone"
    data.mkdir()
    migrate(workspace.config, release(tiny), data, workspace.box)
    assert (data / "notes.db").exists() and not target.exists()


def test_a_service_without_databases(tmp_path: Path) -> None:
    tiny = Tiny(tmp_path)
    for key in ("databases", "migrate", "migrations"):
        lines = (tiny.folder / "config.toml").read_text().splitlines()
        (tiny.folder / "config.toml").write_text("\n".join(line for line in lines if not line.startswith(f"{key} =")))
    workspace = tiny.workspace()
    assert migrate_live(workspace, release(tiny), "d-1") is None and workspace.data("live").is_dir()
