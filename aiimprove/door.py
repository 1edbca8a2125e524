"""The door between the app and us: a unix socket through which a service of the app can have a few verbs run.

Live services cannot see the state folder, so the site's own routes cannot read or write it. What comes through the
door runs outside, and only with an operator's token or secret on stdin: the app itself has neither.
"""

from __future__ import annotations

import json
import os
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiimprove import process
from aiimprove.shim.visitors import BoundedServer

FOLDER = Path("run") / "door"
MOST_BYTES = 65536
SECONDS = 9.0
AT_ONCE = 4
MOST_VISITORS = 64
_PROVES = {("status",): "--operator", ("show",): "--operator", ("approve",): "--token-stdin",
           ("reject",): "--token-stdin", ("operator", "login"): "--json"}
"""The verbs that may pass, each with the flag that makes it ask for a token or a secret on stdin."""
_VALUES = ("--digest", "--reason")
_FLAGS = ("--json", "--one-way", "--operator", "--token-stdin")


def refusal(words: Sequence[str]) -> str:
    """Why these words may not pass; empty when they may."""
    verb = next((verb for verb in _PROVES if tuple(words[:len(verb)]) == verb), None)
    if verb is None:
        return f"{' '.join(words[:1]) or 'nothing'} cannot be called from inside the app"
    rest, plain, flags = list(words[len(verb):]), 0, set()
    while rest:
        word = rest.pop(0)
        if word in _VALUES and rest:
            rest.pop(0)
        elif word in _FLAGS:
            flags.add(word)
        elif word.startswith("-"):
            return f"{word} cannot be used from inside the app"
        else:
            plain += 1
    if not {_PROVES[verb], "--json"} <= flags:
        return f"{verb[0]} needs {_PROVES[verb]} and --json from inside the app"
    return "" if plain <= 1 else "too many words"


class _Visit(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        words, stdin = _asked(_line(self.connection))
        against = refusal(words)
        with self.server.room:  # type: ignore[attr-defined]
            answer = _refused(words, against) if against else _run(words, stdin)
        self.wfile.write(json.dumps(answer).encode() + b"\n")


def _line(connection: socket.socket) -> bytes:
    """The first line, at most MOST_BYTES of it. Raises TimeoutError when it is not here in time, however it drips."""
    until, line = time.monotonic() + SECONDS, b""
    while b"\n" not in line and len(line) < MOST_BYTES:
        connection.settimeout(max(0.001, until - time.monotonic()))
        part = connection.recv(MOST_BYTES - len(line))
        if not part:
            break
        line += part
    connection.settimeout(SECONDS)
    return line.partition(b"\n")[0]


def _asked(line: bytes) -> tuple[list[str], str]:
    """The words and the stdin of a visit; no words when it makes no sense."""
    try:
        asked = json.loads(line)
        words, stdin = [str(word) for word in asked["words"]], str(asked.get("stdin", ""))
        if "\0" in "".join(words):
            return [], ""
        "".join([*words, stdin]).encode()
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return [], ""
    return words, stdin


class _Server(BoundedServer):
    """Whoever is sent away asks again: the site does. Of those inside, `room` lets a few have something run."""

    def __init__(self, folder: Path) -> None:
        self.room = threading.Semaphore(AT_ONCE)
        super().__init__(str(folder), _Visit, MOST_VISITORS)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """One line in the log, but none for visitors that go away: they could fill the disk with them."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            sys.stderr.write(f"door: {type(error).__name__}: {error}\n")


def _run(words: Sequence[str], stdin: str) -> dict[str, Any]:
    done = process.run([sys.executable, "-P", "-m", "commands.app", *words], cwd=Path.cwd(), env=dict(os.environ),
                       deadline=SECONDS, stdin=stdin.encode())
    return {"exit_code": done.exit_code, "output": done.output}


def _refused(words: Sequence[str], why: str) -> dict[str, Any]:
    envelope = {"aiimprove": 1, "command": (words or [""])[0], "status": "refused", "exit_code": 3, "data": {},
                "errors": [{"code": "not_allowed", "message": why}]}
    return {"exit_code": 3, "output": json.dumps(envelope) + "\n"}


def serve(folder: Path) -> None:
    """Answer at `folder`/socket until we are ended."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _Server(folder) as server:
        os.chmod(server.address, 0o600)
        server.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
