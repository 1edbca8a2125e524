"""state.db: nothing is lost or done twice, nothing that happened can be rewritten unseen, and bad files are named."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import FINDING

from aiimprove.errors import NotFound, SchemaTooNew, Stale, UsageError
from aiimprove.event import GENESIS, Event
from aiimprove.finding import Finding
from aiimprove.improvement import Improvement, Status
from aiimprove.release import Deployment, DeploymentStatus, Slot
from aiimprove.store import Store, StoreDamaged, migrations

WRITER = """
import sys
from pathlib import Path
from aiimprove.errors import Stale
from aiimprove.store import Store
store, won = Store(Path(sys.argv[1])), 0
print("ready", flush=True)
sys.stdin.readline()
while True:
    before = store.improvement("i")
    if before.attempts >= int(sys.argv[2]):
        break
    try:
        store.save(before, before.note(attempts=before.attempts + 1), sys.argv[3], str(before.attempts))
        won += 1
        print("won", flush=True)
    except Stale:
        pass
"""


def start_writer(store: Store, until: int, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(store.file), str(until), name], stdout=subprocess.PIPE,
                            stdin=subprocess.PIPE, text=True)


def begin_together(writers: Sequence[subprocess.Popen[str]]) -> None:
    for writer in writers:
        assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()


def test_many_processes_lose_and_double_nothing(store: Store) -> None:
    store.add(Improvement("i", FINDING), "test")
    writers = [start_writer(store, 120, f"w{number}") for number in range(4)]
    begin_together(writers)
    won = [writer.communicate(timeout=60)[0].count("won") for writer in writers]
    steps = [event for event in store.events("i") if event.name == "improvement.noted"]
    assert sum(won) == len(steps) == 120 and store.improvement("i").version == 121
    assert [int(event.body["message"]) for event in steps] == list(range(120))
    assert [event.version for event in steps] == list(range(2, 122)) and store.broken_at() is None
    assert sum(count > 0 for count in won) > 1


def test_killed_writers_lose_and_double_nothing(store: Store) -> None:
    store.add(Improvement("i", FINDING), "test")
    deadline = time.monotonic() + 60
    kills = 0
    while store.improvement("i").attempts < 100_000 and kills < 6:
        assert time.monotonic() < deadline
        writer = start_writer(store, 100_000, "w")
        begin_together([writer])
        assert writer.stdout
        for _ in range(5):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        kills += 1
    found = store.improvement("i")
    steps = [int(event.body["message"]) for event in store.events("i") if event.name == "improvement.noted"]
    assert steps == list(range(found.attempts)) and found.version == found.attempts + 1 and store.broken_at() is None


def test_of_two_that_move_it_one_is_told(store: Store) -> None:
    seen = store.add(Improvement("i", FINDING), "test")
    store.save(seen, seen.advance(Status.GENERATED), "anna")
    with pytest.raises(Stale, match="i was changed by somebody else meanwhile"):
        store.save(seen, seen.advance(Status.FAILED), "ben")
    assert store.improvement("i").status is Status.GENERATED
    assert [event.performer for event in store.events("i")] == ["test", "anna"]


def test_an_id_is_taken_once(store: Store) -> None:
    store.add(Improvement("i", FINDING), "test")
    with pytest.raises(Stale, match="i is there already"):
        store.add(Improvement("i", FINDING), "test")
    assert len(store.events("i")) == 1


def test_a_row_and_its_event_come_together(store: Store) -> None:
    seen = store.add(Improvement("i", FINDING), "test")
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.put(seen, seen.advance(Status.GENERATED), "anna")
        raise ZeroDivisionError
    assert store.improvement("i") == seen and len(store.events("i")) == 1


def test_what_was_saved_is_read_back(store: Store) -> None:
    made = store.add(Improvement("i", FINDING, patch="a\ud800b"), "test")
    assert store.improvement("i") == made and made.version == 1 and made.created > 0
    with pytest.raises(NotFound, match="no improvement is named 'j'"):
        store.improvement("j")


def test_the_most_urgent_comes_first(store: Store) -> None:
    for name, impact in (("low", 1.0), ("high", 90.0), ("middle", 50.0)):
        store.add(Improvement(name, replace(FINDING, impact=impact)), "test")
    assert [each.id for each in store.improvements()] == ["high", "middle", "low"]
    assert store.improvements({Status.LIVE}) == []


def test_events_are_append_only(store: Store) -> None:
    store.append(Event("a.happened", "s", "anna"))
    for attack in ("UPDATE events SET performer = 'eve'", "DELETE FROM events",
                   "INSERT OR REPLACE INTO events SELECT 1, at, name, subject, version, 'eve', body, before, hash "
                   "FROM events"):
        with pytest.raises(sqlite3.DatabaseError, match="append-only"):
            store.connection.execute(attack)
    assert [event.performer for event in store.events()] == ["anna"]


COLUMNS = {"at": "at + 1", "name": "name || 'x'", "subject": "subject || 'x'", "version": "version + 90",
           "performer": "'eve'", "body": "'{}'", "before": "'0'", "hash": "'0'"}


@pytest.mark.parametrize("column", COLUMNS)
def test_any_edited_byte_is_found(store: Store, column: str) -> None:
    for number in range(1, 6):
        store.append(Event("a.happened", f"s{number}", "anna", {"number": number}))
    assert store.broken_at() is None
    store.connection.execute("DROP TRIGGER events_are_fixed")
    store.connection.execute(f"UPDATE events SET {column} = {COLUMNS[column]} WHERE seq = 3")
    assert store.broken_at() == 3


def test_an_event_that_is_no_json_any_more_is_found(store: Store) -> None:
    for number in range(3):
        store.append(Event("a.happened", f"s{number}", "anna"))
    store.connection.execute("DROP TRIGGER events_are_fixed")
    store.connection.execute("UPDATE events SET body = 'gone' WHERE seq = 2")
    assert store.broken_at() == 2


def test_a_removed_event_is_found(store: Store) -> None:
    for number in range(1, 6):
        store.append(Event("a.happened", f"s{number}", "anna"))
    store.connection.execute("DROP TRIGGER events_are_kept")
    store.connection.execute("DELETE FROM events WHERE seq = 2")
    assert store.broken_at() == 3


def test_the_first_events_cannot_be_cut_off(store: Store) -> None:
    for number in range(3):
        store.append(Event("a.happened", f"s{number}", "anna"))
    store.connection.execute("DROP TRIGGER events_are_kept")
    store.connection.execute("DELETE FROM events WHERE seq = 1")
    assert store.broken_at() == 2


def test_the_head_is_the_last_hash(store: Store) -> None:
    assert store.head() == GENESIS
    assert store.append(Event("a.happened", "s", "anna")) == store.head() != GENESIS


def test_events_of_a_subject_and_the_newest(store: Store) -> None:
    for number in range(5):
        store.append(Event("a.happened", f"s{number % 2}", "anna", {"number": number}))
    assert [event.body["number"] for event in store.events("s1")] == [1, 3]
    assert [event.body["number"] for event in store.events(limit=2)] == [3, 4]


def found(place: str, detector: str = "d", impact: float = 1.0) -> Finding:
    return replace(FINDING, place=place, detector=detector, impact=impact)


def test_findings_of_a_look(store: Store) -> None:
    assert store.record_findings([found("a"), found("b", impact=9.0)], "c1") == [found("a"), found("b", impact=9.0)]
    assert store.record_findings([found("a", impact=3.0), found("c")], "c2") == [found("c")]
    assert [(each.place, each.impact) for each in store.findings()] == [("a", 3.0), ("c", 1.0)]
    assert {each.place for each in store.findings(present=False)} == {"a", "b", "c"}


def test_findings_of_a_detector_that_failed_are_kept(store: Store) -> None:
    store.record_findings([found("a", "broken"), found("b", "works")], "c1")
    store.record_findings([], "c2", keep=["broken"])
    assert [each.place for each in store.findings()] == ["a"]


def test_a_deployment_moves_once(store: Store) -> None:
    made = store.add_deployment(Deployment("d", "new", "old", Slot.BLUE), "anna")
    with store.transaction():
        store.put_deployment(made, made.advance(DeploymentStatus.STARTED), "anna")
    with pytest.raises(Stale, match="deployment d was changed"), store.transaction():
        store.put_deployment(made, made.advance(DeploymentStatus.ABORTED), "ben")
    assert [each.status for each in store.deployments()] == [DeploymentStatus.STARTED]


def test_facts(store: Store) -> None:
    assert store.fact("live_release") is None
    store.set_fact("live_release", {"a": [1]})
    store.set_fact("live_release", "r-2")
    assert store.fact("live_release") == "r-2"


def test_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    Store(file).close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA user_version = {migrations.LATEST + 1}")
    before = file.read_bytes()
    with pytest.raises(SchemaTooNew, match="written by a newer aiimprove") as caught:
        Store(file, may_migrate=True)
    assert caught.value.exit_code == 2 and file.read_bytes() == before


def test_an_older_schema_waits_for_up_and_is_copied_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "state.db"
    with closing(Store(file)) as old:
        old.add(Improvement("i", FINDING), "test")
    added = "CREATE TABLE more (a TEXT);\n"
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, added))
    monkeypatch.setattr(migrations, "LATEST", len(migrations.MIGRATIONS))
    with pytest.raises(UsageError, match="older schema: 'aiimprove up'"):
        Store(file)
    with closing(Store(file, may_migrate=True)) as migrated:
        assert migrated.improvement("i").version == 1 and migrated.connection.execute("SELECT * FROM more")
    with closing(sqlite3.connect(tmp_path / "state.schema-1.db")) as copy:
        assert copy.execute("SELECT count(*) FROM improvements").fetchone() == (1,)
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_migration_that_fails_leaves_the_schema_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "state.db"
    Store(file).close()
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, "CREATE TABLE more (a);\nNOT SQL;\n"))
    monkeypatch.setattr(migrations, "LATEST", len(migrations.MIGRATIONS))
    with pytest.raises(StoreDamaged):
        Store(file, may_migrate=True)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'more'").fetchone() == (0,)


def test_processes_that_open_a_new_state_at_once(tmp_path: Path) -> None:
    code = ("import sys; from pathlib import Path; from aiimprove.store import Store; "
            "Store(Path(sys.argv[1])).set_fact(sys.argv[2], 1)")
    starts = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "new" / "state.db"), str(number)],
                               stderr=subprocess.PIPE, text=True) for number in range(6)]
    ends = [(start.communicate(timeout=60)[1], start.returncode) for start in starts]
    assert ends == [("", 0)] * 6
    with closing(Store(tmp_path / "new" / "state.db")) as opened:
        assert all(opened.fact(str(number)) == 1 for number in range(6))


@pytest.mark.parametrize("content", [b"this is no database" * 200, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_file_is_named_and_kept(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "state.db"
    file.write_bytes(content)
    with pytest.raises(StoreDamaged, match=r"state\.db cannot be read .* Live is not touched"):
        Store(file)
    assert file.read_bytes() == content


def test_half_a_database_is_named(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    with closing(Store(file)) as whole:
        for number in range(200):
            whole.append(Event("a.happened", f"s{number}", "anna", {"text": "x" * 500}))
    with file.open("r+b") as half:
        half.truncate(file.stat().st_size // 2)
    with pytest.raises((StoreDamaged, sqlite3.DatabaseError)), closing(Store(file)) as opened:
        opened.broken_at()


def test_others_cannot_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with closing(Store(folder / "state.db")) as opened:
        opened.set_fact("a", 1)
        assert folder.stat().st_mode & 0o077 == 0 or os.stat(folder).st_mode & 0o777 == 0o700
        for file in folder.iterdir():
            assert file.stat().st_mode & 0o077 == 0, file


def test_what_is_committed_is_on_disk(store: Store) -> None:
    assert store.connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
