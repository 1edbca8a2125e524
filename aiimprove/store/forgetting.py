"""Rows that nobody needs any more. Ages go by the wall clock, which may jump: some of the newest stay in any case."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection
from contextlib import closing

from aiimprove.improvement import Status
from aiimprove.settings import Limits
from aiimprove.store.store import Store

ALWAYS = 200
"""Rows of each kind that stay whatever the clock says."""
ALWAYS_DEPLOYED = 200
CLOSED = (Status.FAILED, Status.SUPERSEDED, Status.EXPIRED, Status.REJECTED, Status.ROLLED_BACK)
_DAY, _HOUR = 86400.0, 3600.0
_MAY_GO = (Status.FAILED, Status.SUPERSEDED, Status.EXPIRED)
"""Closed ones whose finding may come back anyway; a no of a human is remembered for good."""


def health(store: Store, limits: Limits, now: float) -> int:
    """Every look of the last day stays, of those before one an hour; none older than `limits.health_days`."""
    with store.transaction() as connection:
        return connection.execute(
            "DELETE FROM health WHERE at NOT IN (SELECT at FROM health ORDER BY at DESC LIMIT ?) AND (at < ? OR "
            "(at < ? AND at NOT IN (SELECT MIN(at) FROM health GROUP BY CAST(at / ? AS INTEGER))))",
            (ALWAYS, now - limits.health_days * _DAY, now - _DAY, _HOUR)).rowcount


def findings(store: Store, limits: Limits, now: float) -> int:
    """What nobody has seen for `limits.finding_days`."""
    with store.transaction() as connection:
        return connection.execute(
            "DELETE FROM findings WHERE present = 0 AND last_seen < ? AND fingerprint NOT IN "
            "(SELECT fingerprint FROM findings ORDER BY last_seen DESC LIMIT ?)",
            (now - limits.finding_days * _DAY, ALWAYS)).rowcount


def deployments(store: Store, limits: Limits) -> int:
    """Ended ones beyond `limits.deployments`; those that a way back is found by stay."""
    with store.transaction() as connection:
        return connection.execute(
            "DELETE FROM deployments WHERE status IN ('COMMITTED', 'ABORTED') AND rowid NOT IN "
            "(SELECT rowid FROM deployments ORDER BY rowid DESC LIMIT ?) AND rowid NOT IN (SELECT rowid FROM "
            "deployments WHERE status = 'COMMITTED' ORDER BY rowid DESC LIMIT ?)",
            (limits.deployments, ALWAYS_DEPLOYED)).rowcount


def releases(store: Store, kept: Callable[[], Collection[str]]) -> int:
    """Records of releases that no deployment on record names, and that are not kept: `kept` is asked while nobody can
    add one, since a release is on disk before it is on record."""
    with store.transaction() as connection:
        return connection.execute(
            "DELETE FROM releases WHERE id NOT IN (SELECT value FROM json_each(?)) AND id NOT IN (SELECT "
            "json_extract(body, '$.release') FROM deployments UNION SELECT json_extract(body, '$.replaces') FROM "
            "deployments)", (json.dumps(sorted(kept())),)).rowcount


def improvements(store: Store, limits: Limits) -> tuple[list[str], int]:
    """Beyond `limits.answered`, closed improvements lose patch and evidence: the branches of those that did so now, and
    how many records went altogether, because every improvement of their finding is closed and long gone."""
    marks = ",".join("?" * len(CLOSED))
    old = f"SELECT id FROM improvements WHERE status IN ({marks}) ORDER BY updated DESC LIMIT -1 OFFSET ?"
    with store.transaction() as connection:
        rows = connection.execute(f"SELECT id, version, body FROM improvements WHERE id IN ({old})",
                                  (*CLOSED, limits.answered)).fetchall()
        branches = [_slim(connection, *row) for row in rows]
        return list(filter(None, branches)), _remove(connection, [row[0] for row in rows])


def _slim(connection: sqlite3.Connection, name: str, version: int, text: str) -> str:
    body = json.loads(text)
    if not body["patch"] and not body["evidence"]:
        return ""
    connection.execute("UPDATE improvements SET body = ? WHERE id = ? AND version = ?",
                       (json.dumps(body | {"patch": "", "evidence": None}), name, version))
    return str(body["branch"])


def _remove(connection: sqlite3.Connection, old: list[str]) -> int:
    """Only when no event in the database speaks of one: then its name may be given again."""
    marks = ",".join("?" * len(_MAY_GO))
    kept = (f"SELECT fingerprint FROM improvements WHERE status NOT IN ({marks}) OR id NOT IN (SELECT value FROM "
            "json_each(?)) OR id IN (SELECT subject FROM events)")
    return connection.execute(f"DELETE FROM improvements WHERE fingerprint NOT IN ({kept})",
                              (*_MAY_GO, json.dumps(old))).rowcount


def compact(store: Store) -> bool:
    """Give back the room of removed rows, when that is more than a quarter of the file and 10 MB."""
    with closing(store.connection.cursor()) as cursor:
        size, pages, free = (int(cursor.execute(f"PRAGMA {name}").fetchone()[0])
                             for name in ("page_size", "page_count", "freelist_count"))
        if free * size < 10_000_000 or free * 4 < pages:
            return False
        cursor.execute("VACUUM")
    return True
