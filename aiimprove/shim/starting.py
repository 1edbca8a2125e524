"""Who starts a shim: the starter of its state folder, where there is one, else we ourselves."""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

from aiimprove import process

FOLDER = "starter"
_SECONDS = 20.0


def start_shim(spec: Path) -> tuple[int, str]:
    """Start a shim for a spec and return its exit code and what it complained about."""
    asked = _ask(spec)
    if asked is not None:
        return asked
    script = Path(__file__).with_name("__main__.py")
    done = process.run([sys.executable, "-I", "-S", str(script), str(spec)], cwd=spec.parent,
                       env={"PATH": os.defpath}, deadline=_SECONDS, die_with_parent=True)
    return done.exit_code, done.errors


def _ask(spec: Path) -> tuple[int, str] | None:
    """None when there is no starter, or it does not answer."""
    folder = next((above / FOLDER for above in spec.parents if (above / FOLDER / "socket").exists()), None)
    if folder is None:
        return None
    with suppress(OSError, ValueError, KeyError), socket.socket(socket.AF_UNIX) as own:
        own.settimeout(_SECONDS)
        _connect(own, folder)
        request = {"secret": (folder / "secret").read_text(), "python": sys.executable, "spec": str(spec)}
        own.sendall(json.dumps(request).encode() + b"\n")
        with own.makefile() as answer:
            said = json.loads(answer.readline())
        return int(said["exit_code"]), str(said["errors"])
    return None


def _connect(own: socket.socket, folder: Path) -> None:
    """The path of a socket must be short; that of a folder need not be."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        own.connect(f"/proc/self/fd/{descriptor}/socket")
    finally:
        os.close(descriptor)
