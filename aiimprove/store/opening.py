"""Opening state.db: with the schema that we know, and readable by nobody else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from aiimprove.errors import AiimproveError, SchemaTooNew, UsageError
from aiimprove.store import migrations

BUSY_SECONDS = 15.0
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


class StoreDamaged(AiimproveError):
    """The file is there but is not a database that we can read."""

    code = "store_damaged"


def open_database(file: Path, may_migrate: bool) -> sqlite3.Connection:
    """The database in autocommit mode, made when it is not there. Raises SchemaTooNew, UsageError for an older schema
    that may not be migrated now, StoreDamaged, sqlite3.Error for what the machine failed at."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        file.touch(mode=0o600)
        return _open(file, may_migrate)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode not in _DAMAGE:  # a full disk, or somebody else is at it
            raise
        raise StoreDamaged(f"{file} cannot be read ({error}). Live is not touched by this. Move the file away "
                           "and start again, or put back the copy beside it") from None


def _open(file: Path, may_migrate: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None, timeout=BUSY_SECONDS)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    found = migrations.version(connection)
    if found > migrations.LATEST:
        connection.close()
        raise SchemaTooNew(f"{file} was written by a newer aiimprove (schema {found}, this one knows "
                           f"{migrations.LATEST}): update aiimprove")
    if 0 < found < migrations.LATEST and not may_migrate:
        connection.close()
        raise UsageError(f"{file} has an older schema: 'aiimprove up' brings it up to date, after a copy")
    if found < migrations.LATEST:
        _migrate(connection, file, found)
    return connection


def _migrate(connection: sqlite3.Connection, file: Path, found: int) -> None:
    if found:
        with closing(sqlite3.connect(file.with_suffix(f".schema-{found}.db"))) as copy:
            connection.backup(copy)
    migrations.migrate(connection)
