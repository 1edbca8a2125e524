"""The schema of state.db, one numbered step after the other; each with its record in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

EVENTS_ARE_KEPT = """\
CREATE TRIGGER events_are_kept BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;"""

M001_FIRST = """
CREATE TABLE improvements (
    id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status TEXT NOT NULL, version INTEGER NOT NULL,
    kind TEXT NOT NULL, title TEXT NOT NULL, digest TEXT NOT NULL, detector TEXT NOT NULL, author TEXT NOT NULL,
    impact REAL NOT NULL, created REAL NOT NULL, updated REAL NOT NULL, body TEXT NOT NULL);
CREATE INDEX improvements_by_status ON improvements (status, created);
CREATE INDEX improvements_by_time ON improvements (updated);
CREATE INDEX improvements_by_fingerprint ON improvements (fingerprint);
CREATE TABLE findings (
    fingerprint TEXT PRIMARY KEY, first_seen REAL NOT NULL, last_seen REAL NOT NULL, commit_seen TEXT NOT NULL,
    present INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, name TEXT NOT NULL, subject TEXT NOT NULL,
    version INTEGER NOT NULL, performer TEXT NOT NULL, body TEXT NOT NULL, before TEXT NOT NULL, hash TEXT NOT NULL);
CREATE UNIQUE INDEX events_by_version ON events (subject, version) WHERE version > 0;
CREATE TABLE releases (id TEXT PRIMARY KEY, commit_id TEXT NOT NULL, made REAL NOT NULL, body TEXT NOT NULL);
CREATE TABLE deployments (
    id TEXT PRIMARY KEY, status TEXT NOT NULL, version INTEGER NOT NULL, started REAL NOT NULL, body TEXT NOT NULL);
CREATE INDEX deployments_by_status ON deployments (status, started);
CREATE TABLE health (at REAL PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE facts (name TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE leases (
    name TEXT PRIMARY KEY, token INTEGER NOT NULL, pid INTEGER NOT NULL, started INTEGER NOT NULL, boot TEXT NOT NULL,
    until REAL NOT NULL, since REAL NOT NULL, message TEXT NOT NULL);
CREATE TABLE operators (
    name TEXT PRIMARY KEY, token_hash TEXT NOT NULL UNIQUE, created REAL NOT NULL, expires REAL);
CREATE TABLE links (secret_hash TEXT PRIMARY KEY, operator TEXT NOT NULL, expires REAL NOT NULL);
""" + EVENTS_ARE_KEPT + """
CREATE TRIGGER events_are_not_replaced BEFORE INSERT ON events WHEN new.seq IN (SELECT seq FROM events)
    BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_are_fixed BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
"""

MIGRATIONS: Sequence[str] = (M001_FIRST,)
LATEST = len(MIGRATIONS)


def version(connection: sqlite3.Connection) -> int:
    """The number of the last migration that the database has; 0 for an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> list[int]:
    """Apply what is missing and return the numbers applied. Each step and its record are one transaction, so that
    two processes that migrate at once do it once. The connection must be in autocommit mode."""
    applied = []
    for number, script in enumerate(MIGRATIONS, start=1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if version(connection) < number:
                _run(connection, script, number)
                applied.append(number)
            connection.execute("COMMIT")
        except sqlite3.Error:
            connection.execute("ROLLBACK")
            raise
    return applied


def _run(connection: sqlite3.Connection, script: str, number: int) -> None:
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
    connection.execute(f"PRAGMA user_version = {number}")
