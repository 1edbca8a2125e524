"""Operators: the people who may say yes. Tokens and one-time secrets are shown once and stored as hashes.

A token is 256 random bits, so a plain SHA-256 of it is enough (OWASP ASVS 2.4 speaks of secrets people choose).
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass

from aiimprove.errors import NotFound, NotOperator, UsageError
from aiimprove.event import Event
from aiimprove.store import Store

TOKEN_PREFIX = "aiop_"
LINK_SECONDS = 600.0
SESSION_SECONDS = 30 * 86400.0


@dataclass(frozen=True)
class Operator:
    """`expires` is in unix seconds, None for a token that lasts until it is removed."""

    name: str
    created: float
    expires: float | None


@dataclass(frozen=True)
class Session:
    """What a browser gets for a one-time secret; the token is readable here and nowhere else."""

    name: str
    token: str
    expires: float


def add(store: Store, name: str, performer: str) -> str:
    """Create an operator and return the token. Raises UsageError for a name that is taken or not a name."""
    _must_be_name(name)
    if any(each.name == name for each in everyone(store)):
        raise UsageError(f"there is an operator {name!r} already: remove it first, or take another name")
    return _issue(store, name, None, performer, "operator.added")


def remove(store: Store, name: str, performer: str) -> None:
    """Remove an operator and all its browser sessions. Raises NotFound."""
    with store.transaction() as connection:
        gone = connection.execute("DELETE FROM operators WHERE name = ?1 "
                                  "OR substr(name, 1, length(?1) + 5) = ?1 || '@web-'", (name,)).rowcount
        connection.execute("DELETE FROM links WHERE operator = ?", (name,))
        if not gone:
            raise NotFound(f"no operator is named {name!r}")
        store.append(Event("operator.removed", name, performer))


def everyone(store: Store) -> list[Operator]:
    """All operators and browser sessions that are still valid."""
    rows = store.connection.execute("SELECT name, created, expires FROM operators "
                                    "WHERE expires IS NULL OR expires > ? ORDER BY created", (time.time(),))
    return [Operator(*row) for row in rows]


def verify(store: Store, token: str) -> str:
    """The name behind a token. Raises NotOperator."""
    row = store.connection.execute(
        "SELECT name FROM operators WHERE token_hash = ? AND (expires IS NULL OR expires > ?)",
        (_hash(token), time.time())).fetchone()
    if row is None:
        raise NotOperator("this token is not an operator's: 'aiimprove operator add NAME' makes one")
    return str(row[0])


def link(store: Store, name: str, performer: str) -> str:
    """A one-time secret that signs a browser in as `name` within ten minutes. Raises UsageError for what is no name."""
    _must_be_name(name)
    secret = secrets.token_urlsafe(24)
    with store.transaction() as connection:
        connection.execute("DELETE FROM links WHERE expires < ?", (time.time(),))
        connection.execute("INSERT INTO links VALUES (?,?,?)", (_hash(secret), name, time.time() + LINK_SECONDS))
        store.append(Event("operator.invited", name, performer))
    return secret


def login(store: Store, secret: str) -> Session:
    """Trade a one-time secret for a browser session. Raises NotOperator when it is unknown, used or too old."""
    with store.transaction() as connection:
        row = connection.execute("DELETE FROM links WHERE secret_hash = ? AND expires > ? RETURNING operator",
                                 (_hash(secret), time.time())).fetchone()
        if row is None:
            raise NotOperator("this link was used already or is too old: 'aiimprove operator link' makes a new one")
    name, expires = f"{row[0]}@web-{secrets.token_hex(2)}", time.time() + SESSION_SECONDS
    return Session(name, _issue(store, name, expires, name, "operator.signed_in"), expires)


def _must_be_name(name: str) -> None:
    if not name[:1].isalnum() or not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise UsageError(f"{name!r} is not a name: use letters, digits, '.', '-' and '_'")


def _issue(store: Store, name: str, expires: float | None, performer: str, event: str) -> str:
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    with store.transaction() as connection:
        connection.execute("DELETE FROM operators WHERE expires < ?", (time.time(),))
        connection.execute("INSERT INTO operators VALUES (?,?,?,?)", (name, _hash(token), time.time(), expires))
        store.append(Event(event, name, performer))
    return token


def _hash(text: str) -> str:
    return hashlib.sha256(text.strip().encode()).hexdigest()
