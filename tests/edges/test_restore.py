"""A backup in the place of the live data, on a small site that runs: counted, exchanged, undone, and after a crash."""

from __future__ import annotations

import http.client
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tiny import Said, Tiny

from aiimprove import backups, deployment, restoring
from aiimprove.build import build
from aiimprove.errors import MachineFailed, MigrationFailed, NotFound, ReleaseFailed
from aiimprove.improvement import Approval, Status
from aiimprove.rehearsal import migrate
from aiimprove.release import Environment, Release
from aiimprove.way_back import serving_slot
from aiimprove.workspace import Workspace
from bench.cycles import over

NUMBERS = count()


class Site:
    def __init__(self, tiny: Tiny) -> None:
        self.tiny, self.token = tiny, tiny.operator()
        self.workspace = tiny.workspace()

    def ask(self, path: str, note: str = "", seconds: float = 15) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.tiny.live_port, timeout=seconds)
        try:
            body = json.dumps({"tag": "home", "text": note}) if note else None
            connection.request("POST" if note else "GET", path, body=body)
            answer = connection.getresponse()
            assert answer.status < 400, answer.status
            return json.loads(answer.read())
        finally:
            connection.close()

    def act(self, *words: str) -> Said:
        return self.tiny.call(*words, "--token-stdin", "--json", stdin=self.token)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    tiny = Tiny(tmp_path_factory.mktemp("restore"))
    try:
        assert tiny.call("up", "--without-loop", "--json").exit_code == 0
        yield Site(tiny)
    finally:
        tiny.call("down")


@pytest.fixture
def backup(site: Site) -> str:
    """Of the data as it is now."""
    made = backups.make(site.workspace.config, site.workspace.data("live"), f"kept-{next(NUMBERS)}", "for a test")
    return made.name


def test_what_was_written_since_is_lost_and_comes_back(site: Site, backup: str) -> None:
    before = site.ask("/count")
    site.ask("/notes", "after the backup")
    told = site.tiny.call("restore", backup, "--json").data
    assert told["kept"] is None and told["restore"]["rows_lost"] == 1 and site.ask("/count") == before + 1
    assert told["restore"]["lost"] == [{"database": "notes.db", "table": "notes", "gone": 1, "changed": 0}]
    reads: list[int] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            reads.append(site.ask("/count"))

    visitor = threading.Thread(target=read)
    visitor.start()
    done = site.act("restore", backup, "--yes").data
    over.set()
    visitor.join()
    assert site.ask("/count") == before and set(reads) == {before + 1, before}, "no read was lost"
    site.ask("/notes", "on the restored data")
    listed = {each["name"]: each for each in site.tiny.call("restore", "--json").data["backups"]}
    assert listed[done["kept"]]["why"] == f"the live data before the backup {backup} was restored"
    assert site.act("restore", done["kept"], "--yes").exit_code == 0
    assert site.ask("/count") == before + 1 and "after the backup" in site.ask("/notes")
    events = [event.name for event in site.workspace.store.events(done["kept"])]
    assert events == ["data.restoring", "data.restored"]
    assert site.tiny.call("audit", "--verify", "--json").exit_code == 0


def test_nobody_else_restores(site: Site, backup: str) -> None:
    rows = site.ask("/count")
    said = site.tiny.call("restore", backup, "--yes", "--token-stdin", "--json", stdin="aiop_wrong\n")
    assert (said.exit_code, said.error["code"]) == (3, "not_operator") and site.ask("/count") == rows
    said = site.tiny.call("restore", "nothing-like-it", "--json")
    assert (said.exit_code, said.error["code"]) == (7, "not_found")


def test_a_damaged_backup_is_refused(site: Site, backup: str) -> None:
    with closing(sqlite3.connect(backups.named(site.workspace.config, backup).folder / "notes.db")) as damaged, damaged:
        damaged.execute("DELETE FROM notes")
    with pytest.raises(MachineFailed, match=r"is damaged \(notes.db: ok, 0 of \d+ rows\)"):
        restoring.plan(site.workspace, backup)


@pytest.mark.parametrize("moment", ["before the exchange", "after the exchange"])
def test_what_a_crash_leaves_is_finished(site: Site, backup: str, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = site.ask("/count")
    site.ask("/notes", "after the backup")
    workspace = site.tiny.workspace()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(restoring, "exchange" if moment.startswith("before") else "finish", die)
        restoring.restore(workspace, restoring.plan(workspace, backup))
    assert serving_slot(workspace) is None and backups.restore_under_way(workspace.config)
    said = deployment.settle(workspace)
    assert said.startswith(f"the backup {backup} " + ("was not restored" if moment.startswith("before") else "is live"))
    assert site.ask("/count") == (before + 1 if moment.startswith("before") else before)
    assert not backups.restore_under_way(workspace.config)
    assert not list((workspace.config.state_folder / "backups").glob(".*")), "no half of a backup is left"


def test_a_backup_that_the_live_release_cannot_serve_from(site: Site, backup: str) -> None:
    rows, kept = site.ask("/count"), backups.named(site.workspace.config, backup)
    with closing(sqlite3.connect(kept.folder / "notes.db")) as old, old:
        old.execute("ALTER TABLE notes RENAME TO other")
    backups.note(site.workspace.config, backups.Kept(kept.name, kept.folder, kept.made, "", 0, {}))
    with pytest.raises(ReleaseFailed, match="does not serve from it: app /notes answers nothing"):
        restoring.restore(site.workspace, restoring.plan(site.workspace, backup))
    assert site.ask("/count") == rows and not backups.restore_under_way(site.workspace.config)


def test_one_that_does_not_start_after_all_is_taken_back(site: Site, backup: str,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    """The private copy served from it, and live does not: for example, because of what only live is given."""
    before, workspace = site.ask("/count"), site.tiny.workspace()
    site.ask("/notes", "after the backup")
    real, turn = restoring.exchange, count()

    def spoilt(live: Path, staged: Path) -> None:
        real(live, staged)
        if next(turn) == 0:
            (live / "notes.db").write_bytes(b"")

    monkeypatch.setattr(restoring, "exchange", spoilt)
    with pytest.raises(ReleaseFailed, match=r"was not restored: live has the data it had; the live release does not"):
        restoring.restore(workspace, restoring.plan(workspace, backup))
    assert site.ask("/count") == before + 1


class Notes:
    """The small app, as the bench of the cycles takes it."""

    written_to: ClassVar[tuple[str, ...]] = ("notes",)
    passing: ClassVar[tuple[str, ...]] = ()
    kinds: ClassVar[Mapping[str, str]] = {
        "column": "ALTER TABLE notes ADD COLUMN extra_{number} TEXT NOT NULL DEFAULT ''",
        "trigger": "CREATE TABLE made_{number} (text); CREATE TRIGGER made_{number}_now AFTER INSERT ON notes "
                   "BEGIN INSERT INTO made_{number} VALUES (new.text); END"}

    def __init__(self, site: Site) -> None:
        self.site, self.engine = site, site.tiny.workspace()

    def release(self, name: str, sql: str) -> Release:
        folder = self.site.tiny.folder / "app" / "migrations"
        (folder / f"{len(list(folder.iterdir())) + 1:04}_{name}.sql").write_text(sql)
        return build(self.engine.config, self.engine.repository, self.site.tiny.commit({}), self.engine.box, str)

    def write(self, text: str) -> str:
        return str(self.site.ask("/notes", text)["text"])

    def has(self, key: str, text: str) -> bool:
        return key == text and text in self.site.ask("/notes")


def test_cycles_of_migration_and_rollback_lose_nothing(site: Site) -> None:
    lost, unread = over(Notes(site), 2).targets
    assert (lost.value, unread.value) == (0, 0) and lost.name == "rows lost over 2 cycles, of 12 written"


def test_a_full_disk_counts_for_nothing_against_an_improvement(site: Site) -> None:
    workspace, tiny = site.tiny.workspace(), site.tiny
    full = "PRAGMA max_page_count = 1; CREATE TABLE big AS SELECT hex(randomblob(20000)) AS a"
    (tiny.folder / "app" / "migrations" / "0009_big.sql").write_text("SELECT 1")
    tiny.edit("app/migrate.py", "{script}; PRAGMA", "{script}; " + full + "; PRAGMA")
    made = _approved(tiny, workspace)
    with pytest.raises(MachineFailed, match="database or disk is full"):
        deployment.deploy(workspace, deployment.plan(workspace, made) or pytest.fail())
    found = workspace.store.improvement(made)
    assert (found.status, found.attempts) == (Status.APPROVED, 0) and found.reason.startswith("the machine failed")
    assert len(workspace.slots.running(Environment.LIVE)) == 1 and site.ask("/count") > 0


def _approved(tiny: Tiny, workspace: Workspace) -> str:
    base = workspace.live().commit
    release = build(workspace.config, workspace.repository, tiny.commit({}), workspace.box, str)
    workspace.store.add_release(release)
    planted = tiny.plant(Status.APPROVED, name="full-disk", base_commit=base, commit=release.commit, release=release.id,
                         artifact=release.artifact, approval=Approval("tester", "d" * 64, 1.0))
    return planted.id


def test_a_migration_that_never_ends_is_ended(tiny: Tiny) -> None:
    tiny.edit("app/migrate.py", "import glob\n", "import glob\nwhile True: pass\n")
    workspace = tiny.workspace()
    config = replace(workspace.config, deploy=replace(workspace.config.deploy, migration_seconds=1))
    release = build(config, workspace.repository, tiny.commit({}), workspace.box, str)
    workspace.data("live").mkdir(parents=True)
    with pytest.raises(MigrationFailed, match="took longer than 1 seconds and were ended"):
        migrate(config, release, workspace.data("live"), None)


def test_the_last_backup_is_never_removed(tiny: Tiny) -> None:
    workspace = tiny.workspace()
    (workspace.data("live")).mkdir(parents=True)
    for name in ("one", "two"):
        backups.make(workspace.config, workspace.data("live"), name, "")
    backups.forget(replace(workspace.config, limits=replace(workspace.config.limits, backups=0)))
    assert [each.name for each in backups.every(workspace.config)] == ["two"]
    with pytest.raises(NotFound):
        backups.named(workspace.config, "../data")
