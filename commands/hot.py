"""`status --json` without typer, rich or the config's parser: 2.5 times the start of Python at most.

What it needs of the config stands in a stamp that every other command refreshes; when config.toml is newer than the
stamp, the full path answers, with the same bytes.
"""

import json
import os
import sys

STAMP = os.path.join("run", "config.json")


def answered(words: list[str]) -> bool:
    """Print the envelope and say True, or say False for the full path to take over."""
    if not set(words) <= {"--json", "--no-color", "--operator"}:
        return False
    known = _stamp()
    if known is None:
        return False
    if "--operator" in words and not _signed_in(known):
        return False
    import sqlite3

    try:
        line = envelope(known)
    except (sqlite3.Error, ValueError, KeyError):
        return False
    print(line, flush=True)
    return True


def envelope(known: dict[str, object]) -> str:
    """The bytes of `status --json`; `known` is the stamp's content."""
    from aiimprove.overview import overview

    shown = {name: known[name] for name in ("name", "state_folder", "logs_folder", "live_url", "dev_url", "button")}
    data = overview(str(known["state_folder"]), shown, float(str(known["evidence_hours"])))
    return json.dumps({"aiimprove": 1, "command": "status", "status": "ok", "exit_code": 0, "data": data,
                       "errors": []})


def _stamp() -> "dict[str, object] | None":
    repository = _repository()
    if repository is None:
        return None
    try:
        with open(os.path.join(_state(repository), STAMP)) as file:
            known: dict[str, object] = json.load(file)
        seen = os.stat(os.path.join(repository, "config.toml"))
    except (OSError, ValueError):
        return None
    now = {"repository": repository, "seen": [seen.st_mtime_ns, seen.st_size]}
    return known if isinstance(known, dict) and now.items() <= known.items() else None


def _repository() -> "str | None":
    folder = os.path.realpath(os.environ.get("AIIMPROVE_REPOSITORY") or os.getcwd())
    while not os.path.isfile(os.path.join(folder, "config.toml")):
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return None
    return folder


def _state(repository: str) -> str:
    named = os.environ.get("AIIMPROVE_STATE")
    if named:
        return os.path.realpath(os.path.join(repository, os.path.expanduser(named)))
    import zlib

    home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    ending = f"-{zlib.crc32(os.fsencode(repository)):08x}"
    found = [each for each in os.listdir(os.path.join(home, "aiimprove")) if each.endswith(ending)]
    return os.path.join(home, "aiimprove", found[0]) if len(found) == 1 else os.devnull


def _signed_in(known: dict[str, object]) -> bool:
    """Whether the token on stdin is an operator's; when not, the full path says so (stdin is put back for it)."""
    import hashlib
    import io
    import sqlite3
    import time

    token = sys.stdin.readline()
    sys.stdin = io.StringIO(token)
    connection = sqlite3.connect(os.path.join(str(known["state_folder"]), "state.db"), timeout=5)
    try:
        return connection.execute(
            "SELECT 1 FROM operators WHERE token_hash = ? AND (expires IS NULL OR expires > ?)",
            (hashlib.sha256(token.strip().encode()).hexdigest(), time.time())).fetchone() is not None
    except sqlite3.Error:
        return False
    finally:
        connection.close()
