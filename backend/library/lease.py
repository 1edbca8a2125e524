"""Who may crawl now. Two releases of the service overlap during a deploy, and one of them may die."""

import sqlite3
import time

SECONDS = 60.0


class LeaseLost(Exception):
    """Another process crawls now: this one took too long, or has given the lease back."""


def acquire(connection: sqlite3.Connection, name: str, holder: str, at: float | None = None) -> bool:
    """Take the lease when it is free, run out, or ours already."""
    moment = time.time() if at is None else at
    cursor = connection.execute(
        "INSERT INTO leases (name, holder, expires) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE "
        "SET holder = excluded.holder, expires = excluded.expires WHERE leases.expires < ? OR leases.holder = ?",
        (name, holder, moment + SECONDS, moment, holder),
    )
    return cursor.rowcount > 0


def renew(connection: sqlite3.Connection, name: str, holder: str, at: float | None = None) -> None:
    """Hold the lease for another term. Raises LeaseLost when it is no longer ours."""
    moment = time.time() if at is None else at
    statement = "UPDATE leases SET expires = ? WHERE name = ? AND holder = ?"
    if connection.execute(statement, (moment + SECONDS, name, holder)).rowcount == 0:
        raise LeaseLost(name)


def release(connection: sqlite3.Connection, name: str, holder: str) -> None:
    """Give the lease back, if it is ours."""
    connection.execute("DELETE FROM leases WHERE name = ? AND holder = ?", (name, holder))


def holder(connection: sqlite3.Connection, name: str, at: float | None = None) -> str | None:
    """Who holds the lease now."""
    moment = time.time() if at is None else at
    row = connection.execute("SELECT holder FROM leases WHERE name = ? AND expires >= ?", (name, moment)).fetchone()
    return str(row["holder"]) if row else None
