"""Data of the app, copied while it is in use: clones to try things on, verified backups, and what a schema promises.

The source is never written. A database is copied as of one moment; what its last writer had committed is in the copy.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from aiimprove.atomic import flush
from aiimprove.disk import used
from aiimprove.errors import MachineFailed
from aiimprove.settings import Config

_MAGIC = b"SQLite format 3\0"
_COMPANIONS = ("-wal", "-shm", "-journal")
BUSY_SECONDS = 30.0

Rows = dict[str, int]
Schema = dict[str, dict[str, dict[str, object]]]


@dataclass(frozen=True)
class Backup:
    """A verified copy of the data: where it is, how many rows each table of each database has, size and time."""

    folder: Path
    databases: Mapping[str, Rows]
    bytes: int
    seconds: float


def clone(config: Config, source: Path, destination: Path) -> None:
    """Copies a data folder that may be in use. Databases (configured ones and every *.db that is one) as of one
    moment each, other files as they are; files that vanish meanwhile are left out, and so are links and sockets.

    Raises MachineFailed when a database cannot be read.
    """
    _copy(config, source, destination, _copy_database)


def backup(config: Config, data: Path, destination: Path) -> Backup:
    """A clone that was read back: sound, and with as many rows in every table as the source had at that moment.

    Raises MachineFailed, and leaves nothing behind, when the copy is not good.
    """
    began, counted = time.monotonic(), dict[str, Rows]()

    def copy_and_count(source: Path, target: Path) -> None:
        counted[str(source.relative_to(data))] = _copy_verified(source, target)

    try:
        _copy(config, data, destination, copy_and_count)
    except (OSError, MachineFailed) as error:
        shutil.rmtree(destination, ignore_errors=True)
        raise MachineFailed(f"the backup of {data.name} failed: {error}") from error
    return Backup(destination, counted, used(destination).bytes, time.monotonic() - began)


def rows(database: Path) -> Rows:
    """How many rows each table has, all counted at one moment."""
    with closing(_open(database)) as connection:
        connection.execute("BEGIN")
        return _count(connection)


def schema(database: Path) -> Schema:
    """What a program can rely on: tables with their columns, and under "unique <table>" its unique indexes."""
    with closing(_open(database)) as connection:
        found: Schema = {}
        for name in _tables(connection, "table", "view"):
            columns = connection.execute(f"PRAGMA table_xinfo({_quoted(name)})").fetchall()
            found[name] = {row[1]: {"type": row[2].upper(), "required": bool(row[3]) and row[4] is None,
                                    "key": row[5]} for row in columns}
            uniques = connection.execute(f"PRAGMA index_list({_quoted(name)})").fetchall()
            found[f"unique {name}"] = {row[1]: {} for row in uniques if row[2]}
        return found


def definitions(database: Path) -> list[str]:
    """Every statement that the schema is made of, and the number of the schema that the app keeps, if it does."""
    with closing(_open(database)) as connection:
        number = connection.execute("PRAGMA user_version").fetchone()[0]
        found = connection.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL ORDER BY sql")
        return [*(row[0] for row in found), f"PRAGMA user_version = {number}"]


def contract_breaks(before: Schema, after: Schema) -> list[str]:
    """What a program written for the first schema would trip over in the second, one sentence each."""
    return [said for table in before for said in _breaks(table, before[table], after.get(table))]


def _breaks(table: str, old: Mapping[str, Mapping[str, object]],
            new: Mapping[str, Mapping[str, object]] | None) -> Iterator[str]:
    if table.startswith("unique "):
        added = sorted(set(new or {}) - set(old))
        yield from (f"{table.removeprefix('unique ')} has a new unique index {name}" for name in added)
        return
    if new is None:
        yield f"table {table} is gone"
        return
    for column, facts in old.items():
        if column not in new:
            yield f"column {table}.{column} is gone"
        elif new[column]["type"] != facts["type"]:
            yield f"column {table}.{column} was {facts['type']} and is {new[column]['type']}"
        elif (new[column]["required"] and not facts["required"]) or new[column]["key"] != facts["key"]:
            yield f"column {table}.{column} takes less than before"
    yield from (f"new column {table}.{column} must be given and has no default"
                for column in new if column not in old and new[column]["required"])


def _databases(config: Config, data: Path) -> Iterator[Path]:
    configured = {data / name for service in config.services.values() for name in service.databases}
    for folder, _, names in os.walk(data):
        for path in (Path(folder) / name for name in sorted(names)):
            if (path in configured or path.suffix == ".db") and _is_database(path):
                yield path


def _is_database(path: Path) -> bool:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except FileNotFoundError:
        return False


def _companion(path: Path, databases: set[Path]) -> bool:
    return any(path.name.endswith(end) and path.with_name(path.name.removesuffix(end)) in databases
               for end in _COMPANIONS)


def _copy(config: Config, source: Path, destination: Path, copy_database: Callable[[Path, Path], None]) -> None:
    databases = set(_databases(config, source))
    destination.mkdir(parents=True, exist_ok=True)
    for folder, _, names in os.walk(source):
        target = destination / Path(folder).relative_to(source)
        target.mkdir(exist_ok=True)
        for path in (Path(folder) / name for name in names):
            if path in databases:
                _asked(copy_database, path, target / path.name)
            elif not _companion(path, databases):
                _copy_file(path, target / path.name)


def _asked(copy_database: Callable[[Path, Path], None], source: Path, target: Path) -> None:
    try:
        copy_database(source, target)
    except sqlite3.Error as error:
        raise MachineFailed(f"{source.name} cannot be copied: {error}") from error


def _copy_file(source: Path, target: Path) -> None:
    with suppress(FileNotFoundError):
        if stat.S_ISREG(source.lstat().st_mode):
            shutil.copy2(source, target, follow_symlinks=False)


def _open(database: Path) -> sqlite3.Connection:
    """For reading only. isolation_level None: transactions are ours to begin."""
    address = f"{database.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _copy_database(source: Path, target: Path) -> None:
    with closing(_open(source)) as old, closing(sqlite3.connect(target)) as new:
        new.execute("PRAGMA synchronous = OFF")
        old.backup(new)


def _copy_verified(source: Path, target: Path) -> Rows:
    """Copies inside the read transaction in which the rows are counted, then compares."""
    with closing(_open(source)) as old, closing(sqlite3.connect(target)) as new:
        old.execute("BEGIN")
        expected = _count(old)
        old.backup(new)
        old.execute("COMMIT")
        sound, found = new.execute("PRAGMA integrity_check").fetchone()[0], _count(new)
    if sound != "ok" or found != expected:
        raise MachineFailed(f"{source.name}: {sound}, {sum(found.values())} of {sum(expected.values())} rows copied")
    flush(target)
    return found


def _count(connection: sqlite3.Connection) -> Rows:
    return {name: int(connection.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()[0])
            for name in _tables(connection, "table")}


def _tables(connection: sqlite3.Connection, *kinds: str) -> list[str]:
    """Virtual tables are left out, for their module may be missing here; what they are made of is a table too."""
    listed = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name")
    return [name for kind, name, sql in listed
            if kind in kinds and not name.startswith("sqlite_") and not sql.upper().startswith("CREATE VIRTUAL")]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
