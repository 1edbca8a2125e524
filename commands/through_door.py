"""A call from inside the app: handed out through the door, since the state cannot be seen from in there."""

import json
import os
import socket
import sys

_ASKS_STDIN = ("--operator", "--token-stdin", "login")
_SECONDS = 30.0


def call(folder: str, words: list[str]) -> int:
    """Have the words run outside and print what came of it; the exit code is that of the command."""
    stdin = sys.stdin.readline() if any(word in words for word in _ASKS_STDIN) else ""
    try:
        answer = _ask(folder, {"words": words, "stdin": stdin})
    except (OSError, ValueError) as error:
        message = f"aiimprove cannot be reached from inside the app ({error}): 'aiimprove up' opens the way again"
        answer = {"exit_code": 1, "output": json.dumps({
            "aiimprove": 1, "command": (words or [""])[0], "status": "error", "exit_code": 1, "data": {},
            "errors": [{"code": "unreachable", "message": message}]}) + "\n"}
    sys.stdout.write(str(answer["output"]))
    return int(str(answer["exit_code"]))


def _ask(folder: str, question: dict[str, object]) -> dict[str, object]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(_SECONDS)
        line.connect(f"/proc/self/fd/{descriptor}/socket")
        os.close(descriptor)
        line.sendall(json.dumps(question).encode() + b"\n")
        with line.makefile("rb") as answer:
            given: dict[str, object] = json.loads(answer.readline())
            return given
