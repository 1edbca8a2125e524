"""Old events leave state.db for files, the chain goes on from them, and nothing is lost or doubled on the way."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import FINDING

from aiimprove.event import Event
from aiimprove.improvement import Improvement, Status
from aiimprove.settings import Limits
from aiimprove.store import Store, forgetting, packing

DAY = 86400.0
PACKER = """
import sys
from pathlib import Path
from aiimprove.store import Store, packing
store = Store(Path(sys.argv[1]))
while True:
    if packing.pack(store, 10):
        print("packed", flush=True)
"""


def say(store: Store, count: int) -> None:
    for number in range(count):
        store.append(Event("thing.happened", f"s-{number}", "test", {"number": number}))


def numbers(store: Store) -> list[int]:
    """Every event that is kept, wherever."""
    first = store.connection.execute("SELECT MIN(seq) FROM events").fetchone()[0]
    rows = [row.seq for row in store.archive.rows(first)]
    return rows + [row[0] for row in store.connection.execute("SELECT seq FROM events ORDER BY seq")]


def test_the_older_half_is_packed_and_the_chain_goes_on(store: Store) -> None:
    say(store, 20)
    assert packing.pack(store, 20) == 0
    say(store, 5)
    head = store.head()
    assert packing.pack(store, 20) == 15 and store.packed() == 15 and store.head() == head
    say(store, 30)
    assert packing.pack(store, 20) == 30 and store.packed() == 45
    assert store.broken_at() is None and numbers(store) == list(range(1, 56))
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        store.connection.execute("DELETE FROM events")
    assert [file.stat().st_mode & 0o777 for file in store.archive.files()] == [0o600, 0o600]


@pytest.mark.parametrize("harm", ["gone", "torn", "edited", "order"])
def test_a_file_that_was_tampered_with_shows(store: Store, harm: str) -> None:
    for _ in range(2):
        say(store, 20)
        packing.pack(store, 10)
    first, second = store.archive.files()
    if harm == "gone":
        first.unlink()
    if harm == "torn":
        second.write_bytes(second.read_bytes()[:-30])
    if harm == "edited":
        rows = [row._replace(performer="eve") if row.seq == 3 else row for row in store.archive.rows(16)]
        store.archive.accept(store.archive.draft(rows), rows[0].seq, 15)
    if harm == "order":
        first.rename(second.with_name("9" + second.name[1:]))
    assert store.broken_at() is not None


def test_what_goes_for_good_is_an_event_and_the_rest_is_still_checked(store: Store) -> None:
    for _ in range(4):
        say(store, 20)
        packing.pack(store, 10)
    kept = sum(file.stat().st_size for file in store.archive.files()[2:])
    assert packing.forget(store, kept, "anna") == 2 and len(store.archive.files()) == 2
    event = store.events(limit=1)[0]
    assert (event.name, event.performer) == ("events.forgotten", "anna") and store.broken_at() is None
    assert packing.forget(store, 0, "anna") == 1 and len(store.archive.files()) == 1  # the newest stays
    assert store.broken_at() is None
    store.archive.files()[0].unlink()
    assert store.broken_at() is not None


def test_killed_at_any_moment_nothing_is_lost_or_doubled(store: Store) -> None:
    for _ in range(5):
        packer = subprocess.Popen([sys.executable, "-c", PACKER, str(store.file)], stdout=subprocess.PIPE, text=True)
        say(store, 20)
        assert packer.stdout and packer.stdout.readline() == "packed\n"
        say(store, 20)
        packer.send_signal(signal.SIGKILL)
        packer.communicate()
        assert store.broken_at() is None
        held_numbers = numbers(store)
        assert held_numbers == list(range(1, held_numbers[-1] + 1))
    assert store.packed() >= 50


def test_what_a_crash_packed_before_the_rows_went_counts_once(store: Store) -> None:
    from aiimprove.store.archive import stored

    say(store, 30)
    store.archive.accept(store.archive.draft(stored(store.connection, 12)), 1, 12)
    assert store.broken_at() is None and numbers(store) == list(range(1, 31))
    assert packing.pack(store, 10) == 25 and numbers(store) == list(range(1, 31)) and store.broken_at() is None


def test_whoever_slept_while_somebody_else_packed_does_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    say(store, 30)
    real = store.archive.draft

    def slow(rows: object) -> Path:
        draft = real(rows)  # type: ignore[arg-type]
        with closing(Store(store.file)) as other:
            say(other, 10)
            packing.pack(other, 10)
        return draft

    monkeypatch.setattr(store.archive, "draft", slow)
    assert packing.pack(store, 10) == 0
    assert numbers(store) == list(range(1, 41)) and store.broken_at() is None
    assert not list(store.archive.folder.glob(".packing*"))


def test_without_room_events_stay_where_they_are(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    say(store, 30)
    store.archive.folder.write_text("in the way")
    with pytest.raises(OSError):
        packing.pack(store, 10)
    assert store.packed() == 0 and store.broken_at() is None


class TestForgetting:
    """Other rows."""

    def health(self, store: Store, *ages: float) -> None:
        with store.transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO health VALUES (?, '{}')", [(1e9 - age,) for age in ages])

    def test_health_is_thinned_after_a_day_and_gone_after_its_days(self, store: Store,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(forgetting, "ALWAYS", 3)
        self.health(store, *(minute * 60.0 for minute in range(3 * 24 * 60)))
        forgetting.health(store, Limits(health_days=2), 1e9)
        ages = [1e9 - row[0] for row in store.connection.execute("SELECT at FROM health ORDER BY at DESC")]
        assert len([age for age in ages if age <= DAY]) == 24 * 60 + 1
        assert 23 <= len([age for age in ages if age > DAY]) <= 25 and max(ages) <= 2 * DAY

    def test_a_clock_that_ran_ahead_does_not_empty_the_history(self, store: Store) -> None:
        self.health(store, *(minute * 60.0 for minute in range(1000)))
        store.record_findings([replace(FINDING, cause=str(number)) for number in range(300)], "c")
        store.record_findings([], "c")
        later = 1e9 + time.time() + 400 * DAY
        forgetting.health(store, Limits(), later)
        forgetting.findings(store, Limits(), later)
        assert store.connection.execute("SELECT COUNT(*) FROM health").fetchone()[0] == forgetting.ALWAYS
        assert len(store.findings(present=False)) == forgetting.ALWAYS

    def test_closed_improvements_are_slimmed_and_a_no_is_remembered(self, store: Store) -> None:
        for number, status in enumerate([Status.REJECTED, Status.FAILED, Status.FAILED, Status.SUPERSEDED]):
            finding = replace(FINDING, cause=f"cause {number}")
            made = store.add(Improvement(f"i-{number}", finding, Status.AWAITING_APPROVAL, patch="diff",
                                         branch=f"ai/i-{number}"), "test")
            store.save(made, made.advance(status), "test")
        waiting = store.add(Improvement("waits", FINDING, Status.AWAITING_APPROVAL, patch="diff"), "test")
        branches, gone = forgetting.improvements(store, Limits(answered=1))
        assert (sorted(branches), gone) == (["ai/i-0", "ai/i-1", "ai/i-2"], 0)
        assert [store.improvement(f"i-{number}").patch for number in range(4)] == ["", "", "", "diff"]
        assert store.improvement("waits") == waiting and not forgetting.improvements(store, Limits(answered=1))[0]
        say(store, 20)
        packing.pack(store, 10)  # only now nothing in the database speaks of them
        assert forgetting.improvements(store, Limits(answered=1)) == ([], 2)
        assert {each.id for each in store.improvements()} == {"i-0", "i-3", "waits"}
        assert store.improvement("i-0").status is Status.REJECTED

    def test_the_file_shrinks(self, store: Store) -> None:
        store.connection.execute("CREATE TABLE ballast (text)")
        store.connection.execute("INSERT INTO ballast VALUES (zeroblob(15000000))")
        store.connection.execute("DROP TABLE ballast")
        say(store, 3)
        assert forgetting.compact(store) and not forgetting.compact(store)
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert os.path.getsize(store.file) < 1_000_000 and store.broken_at() is None


