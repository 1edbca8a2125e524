"""What `status` says, read from state.db alone. Only light modules of the standard library: web pages poll this."""

import json
import os
import sqlite3
import time

_UNKNOWN = {"score": None, "errors": 0, "live": "unknown", "dev": "unknown", "backend": "unknown",
            "database": "unknown"}
_SHOWN = 100


def overview(state: str, known: dict[str, object], evidence_hours: float) -> dict[str, object]:
    """The data of `status --json`. `known` holds what the config says: name, folders, addresses; a proof counts for
    `evidence_hours`."""
    empty = {"running": False, "health": dict(_UNKNOWN), "counts": {}, "improvements": [], "live_release": None,
             "dev_release": None, "deploying": None, "live_commit": None, "dev_improvement": None, "working": [],
             "footprint": None, "missed": {}, "proofs": {}, "gate": None}
    file = os.path.join(state, "state.db")
    if not os.path.exists(file):
        return empty | known
    connection = sqlite3.connect(f"file:{_quoted(file)}?mode=ro", uri=True, timeout=5)
    try:
        return empty | _read(connection, evidence_hours) | known
    finally:
        connection.close()


def _read(connection: sqlite3.Connection, evidence_hours: float) -> dict[str, object]:
    connection.execute("BEGIN")
    facts = {name: json.loads(body) for name, body in connection.execute("SELECT name, body FROM facts")}
    return {
        "running": _running(connection), "health": _health(connection),
        "counts": dict(connection.execute("SELECT status, COUNT(*) FROM improvements GROUP BY status")),
        "improvements": _improvements(connection), "live_release": facts.get("live_release"),
        "dev_release": facts.get("dev_release"), "deploying": _deploying(connection, facts.get("canary")),
        "live_commit": facts.get("live_commit"), "dev_improvement": facts.get("dev_improvement"),
        "working": _working(connection), "footprint": facts.get("footprint"),
        "missed": _missed(connection, facts.get("predictions", {})), "proofs": _proofs(connection, evidence_hours),
        "gate": _gate(facts.get("gate")),
    }


def _improvements(connection: sqlite3.Connection) -> list[dict[str, object]]:
    names = ("id", "kind", "title", "status", "digest", "detector", "author", "impact", "created", "updated")
    rows = connection.execute(f"SELECT {', '.join(names)} FROM improvements ORDER BY updated DESC LIMIT {_SHOWN}")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _gate(known: dict[str, object] | None) -> dict[str, object] | None:
    return {name: known[name] for name in ("open", "word", "why", "at")} if known else None


def _proofs(connection: sqlite3.Connection, hours: float) -> dict[str, dict[str, float]]:
    """When each proof that somebody may act on was made, and until when it counts at most."""
    rows = connection.execute("SELECT id, json_extract(body, '$.evidence.made') FROM improvements WHERE status IN "
                              "('VERIFIED', 'AWAITING_APPROVAL', 'APPROVED')")
    return {name: {"made": made, "until": made + hours * 3600} for name, made in rows if made}


def _missed(connection: sqlite3.Connection, outcomes: dict[str, dict[str, str]]) -> dict[str, str]:
    """What is live and does not do there what its proof predicted, and why."""
    found = {name: each["why"] for name, each in outcomes.items() if each["outcome"] == "missed"}
    live = {row[0] for row in connection.execute("SELECT id FROM improvements WHERE status = 'LIVE'")} if found else ()
    return {name: why for name, why in found.items() if name in live}


def _health(connection: sqlite3.Connection) -> dict[str, object]:
    row = connection.execute("SELECT at, body FROM health ORDER BY at DESC LIMIT 1").fetchone()
    return dict(_UNKNOWN) if row is None else _UNKNOWN | json.loads(row[1]) | {"at": row[0]}


def _deploying(connection: sqlite3.Connection, canary: dict[str, object] | None) -> dict[str, object] | None:
    row = connection.execute("SELECT body FROM deployments WHERE status NOT IN ('COMMITTED', 'ABORTED') "
                             "ORDER BY started DESC LIMIT 1").fetchone()
    if row is None:
        return None
    found = json.loads(row[0])
    wanted = {name: found[name] for name in ("id", "release", "replaces", "status", "message", "reason", "started")}
    known = canary if canary and canary["deployment"] == found["id"] else {}
    judged = {name: known.get(name) for name in ("verdict", "why", "missing")}
    names = {lease["name"] for lease in _working(connection)}
    return wanted | {"improvement": (found["adds"] or found["removes"] or [None])[0], "judgement": judged,
                     "left": not names & {"deploy", f"watch {found['id']}"}}


def _working(connection: sqlite3.Connection) -> list[dict[str, object]]:
    """Who is at what now: the leases that a live process holds, but for the loop's own."""
    rows = connection.execute("SELECT name, message, since, pid, started, boot FROM leases "
                              "WHERE until > ? AND name != 'run' ORDER BY since", (_now(),)).fetchall()
    return [{"name": name, "message": message, "since": since, "pid": pid}
            for name, message, since, pid, started, boot in rows if _started(pid) == started and boot == _boot()]


def _running(connection: sqlite3.Connection) -> bool:
    row = connection.execute("SELECT pid, started, boot FROM leases WHERE name = 'run' AND until > ?",
                             (_now(),)).fetchone()
    return row is not None and _started(row[0]) == row[1] and _boot() == row[2]


def _now() -> float:
    """The clock of the leases: it does not jump, and goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _started(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def _boot() -> str:
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
