from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from aiimprove.errors import MachineFailed
from aiimprove.settings import Config, Service
from aiimprove.snapshot import backup, clone, contract_breaks, rows, schema

CONFIG = Config(services={"api": Service(databases=["library.sqlite"])})


@pytest.fixture
def live(tmp_path: Path) -> Path:
    folder = tmp_path / "live"
    (folder / "uploads").mkdir(parents=True)
    (folder / "uploads" / "poster.jpg").write_bytes(b"\xff\xd8jpeg")
    with closing(sqlite3.connect(folder / "library.sqlite")) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE video (id INTEGER PRIMARY KEY, title TEXT NOT NULL)")
        connection.execute("CREATE TABLE pair (a INTEGER, b INTEGER)")
        connection.executemany("INSERT INTO video (title) VALUES (?)", [(f"v{n}",) for n in range(1000)])
    return folder


class Writer:
    """Writes to both tables in one transaction, as fast as it can, until told to stop."""

    def __init__(self, database: Path) -> None:
        self._database, self._stop, self.written = database, threading.Event(), 0
        self._going = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        with closing(sqlite3.connect(self._database, timeout=10)) as connection:
            while not self._stop.is_set():
                with connection:
                    connection.execute("INSERT INTO video (title) VALUES ('new')")
                    connection.execute("INSERT INTO pair VALUES (1, 1)")
                self.written += 1
                self._going.set()

    def __enter__(self) -> Writer:
        self._thread.start()
        assert self._going.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def test_a_clone_taken_while_live_writes_is_of_one_moment(live: Path, tmp_path: Path) -> None:
    with Writer(live / "library.sqlite") as writer:
        for attempt in range(5):
            before = writer.written
            clone(CONFIG, live, tmp_path / f"clone{attempt}")
            counted = rows(tmp_path / f"clone{attempt}" / "library.sqlite")
            assert counted["video"] - 1000 == counted["pair"] >= before


def test_what_only_the_log_holds_is_in_the_clone(live: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(live / "library.sqlite")) as connection:
        with connection:
            connection.execute("INSERT INTO video (title) VALUES ('just now')")
        clone(CONFIG, live, tmp_path / "clone")
        assert (live / "library.sqlite-wal").stat().st_size > 0
    assert not (tmp_path / "clone" / "library.sqlite-wal").exists()
    assert rows(tmp_path / "clone" / "library.sqlite")["video"] == 1001


def test_other_files_come_along_and_links_do_not(live: Path, tmp_path: Path) -> None:
    (live / "secret").symlink_to("/etc/passwd")
    (live / "notes.db").write_text("not a database")
    clone(CONFIG, live, tmp_path / "clone")
    assert (tmp_path / "clone/uploads/poster.jpg").read_bytes() == b"\xff\xd8jpeg"
    assert (tmp_path / "clone/notes.db").read_text() == "not a database"
    assert not (tmp_path / "clone/secret").exists() and not (tmp_path / "clone/secret").is_symlink()


def test_an_unconfigured_database_is_copied_as_one(live: Path, tmp_path: Path) -> None:
    (live / "library.sqlite").rename(live / "uploads" / "other.db")
    with Writer(live / "uploads" / "other.db"):
        clone(CONFIG, live, tmp_path / "clone")
    counted = rows(tmp_path / "clone/uploads/other.db")
    assert counted["video"] - 1000 == counted["pair"] > 0


def test_the_source_stays_as_it_is(live: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in live.rglob("*") if path.is_file()}
    clone(CONFIG, live, tmp_path / "clone")
    with closing(sqlite3.connect(tmp_path / "clone/library.sqlite")) as connection, connection:
        connection.execute("DELETE FROM video")
    assert {path: path.read_bytes() for path in before} == before


def test_a_backup_says_what_it_holds(live: Path, tmp_path: Path) -> None:
    with Writer(live / "library.sqlite"):
        made = backup(CONFIG, live, tmp_path / "backup")
    counted = made.databases["library.sqlite"]
    assert counted == rows(tmp_path / "backup/library.sqlite")
    assert counted["video"] - 1000 == counted["pair"]
    assert made.bytes > 10_000


def test_a_half_written_database_is_refused_and_leaves_nothing(live: Path, tmp_path: Path) -> None:
    with (live / "library.sqlite").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xde\xad" * 3000)
    with pytest.raises(MachineFailed, match="backup of live failed"):
        backup(CONFIG, live, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_a_full_disk_leaves_nothing(live: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")
    monkeypatch.setattr("aiimprove.snapshot.shutil.copy2", full)
    with pytest.raises(MachineFailed, match="No space left"):
        backup(CONFIG, live, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


@pytest.mark.parametrize(("change", "said"), [
    ("CREATE TABLE tag (name TEXT NOT NULL)", []),
    ("CREATE INDEX by_title ON video (title)", []),
    ("ALTER TABLE video ADD COLUMN length INTEGER", []),
    ("ALTER TABLE video ADD COLUMN kind TEXT NOT NULL DEFAULT 'clip'", []),
    ("DROP TABLE pair", ["table pair is gone"]),
    ("ALTER TABLE video RENAME COLUMN title TO name", ["column video.title is gone",
                                                       "new column video.name must be given and has no default"]),
    ("ALTER TABLE pair DROP COLUMN b", ["column pair.b is gone"]),
    ("CREATE UNIQUE INDEX once ON video (title)", ["video has a new unique index once"]),
    ("DROP TABLE pair; CREATE TABLE pair (a TEXT, b INTEGER)", ["column pair.a was INTEGER and is TEXT"]),
    ("DROP TABLE pair; CREATE TABLE pair (a INTEGER NOT NULL, b INTEGER)", ["column pair.a takes less than before"]),
    ("DROP TABLE pair; CREATE TABLE pair (a INTEGER, b INTEGER, c INTEGER NOT NULL)",
     ["new column pair.c must be given and has no default"]),
])
def test_what_breaks_the_old_release(live: Path, change: str, said: list[str]) -> None:
    before = schema(live / "library.sqlite")
    with closing(sqlite3.connect(live / "library.sqlite")) as connection:
        connection.executescript(change)
    assert contract_breaks(before, schema(live / "library.sqlite")) == said


def test_a_table_for_full_text_search_is_no_obstacle(live: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(live / "library.sqlite")) as connection:
        connection.executescript("CREATE VIRTUAL TABLE found USING fts5(title); INSERT INTO found VALUES ('a b')")
    made = backup(replace(CONFIG), live, tmp_path / "backup")
    assert made.databases["library.sqlite"]["found_content"] == 1
