"""The shape of the database: plain SQL files, applied in order, each once."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from library.clock import now

FOLDER = Path(__file__).resolve().parent.parent / "migrations"


@dataclass(frozen=True)
class Migration:
    """One file `NNNN_name.sql`; `name` is the file's name without its ending."""

    name: str
    path: Path


def available(folder: Path = FOLDER) -> list[Migration]:
    """The migrations of this release, in the order in which they apply."""
    return [Migration(path.stem, path) for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))]


def missing(connection: sqlite3.Connection, folder: Path = FOLDER) -> list[Migration]:
    """The migrations that the database has not seen. A database newer than this release lacks none."""
    done = applied(connection)
    return [migration for migration in available(folder) if migration.name not in done]


def applied(connection: sqlite3.Connection) -> dict[str, str]:
    """Name and moment of each applied migration."""
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_migrations'").fetchone()
    if not known:
        return {}
    return dict(tuple(row) for row in connection.execute("SELECT name, applied FROM schema_migrations ORDER BY name"))


def prepare(path: Path) -> sqlite3.Connection:
    """Open the file for migrating, making it when there is none."""
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, applied TEXT NOT NULL) WITHOUT ROWID"
    )
    return connection


def apply(connection: sqlite3.Connection, migration: Migration) -> bool:
    """Apply one migration with its record in one transaction; False when another process was first.

    Raises sqlite3.Error, with nothing changed, when a statement fails.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        fresh = migration.name not in applied(connection)
        if fresh:
            for statement in statements(migration.path.read_text(encoding="utf-8")):
                connection.execute(statement)
            connection.execute("INSERT INTO schema_migrations VALUES (?, ?)", (migration.name, now()))
        connection.execute("COMMIT")
        return fresh
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def statements(script: str) -> Iterator[str]:
    """The statements of a script; a trigger's inner semicolons do not end it."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending.strip()
            pending = ""
    if pending.strip():
        yield pending.strip()
