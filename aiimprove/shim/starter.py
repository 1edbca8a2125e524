"""`python -I -S starter.py FOLDER`: starts shims for whoever asks, so that what serves belongs to whoever started this.

A process stays in the control group of its parent, and a service manager ends a unit by ending its group. So the unit
of live starts this program, and every other process of the engine (the loop in a unit of its own, a person at a
terminal) asks it at FOLDER/socket instead of starting a shim itself.

A request is one line: {"secret", "python", "spec"}; the answer {"exit_code", "errors"}. The secret lies beside the
socket: services of the app can reach any socket of their user, but cannot read files of the state folder.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import select
import socket
import socketserver
import subprocess
import sys
from typing import Any

sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from aiimprove.shim.visitors import BoundedServer

_MOST_BYTES, _SECONDS, _AT_ONCE = 65536, 30.0, 32


class Server(BoundedServer):
    """Whoever is sent away starts what it wants itself."""

    def __init__(self, folder: str) -> None:
        self.folder, self.secret = folder, secrets.token_hex(32)
        super().__init__(folder, Request, _AT_ONCE)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asks nonsense, or goes away, is not worth a traceback."""
        sys.stderr.write(f"starter: {sys.exc_info()[1]!r}\n")


class Request(socketserver.StreamRequestHandler):
    timeout = 5.0

    def handle(self) -> None:
        asked = json.loads(self.rfile.readline(_MOST_BYTES))
        server: Any = self.server
        spec = os.path.realpath(asked["spec"])
        above = os.path.dirname(os.path.realpath(server.folder))
        if not hmac.compare_digest(str(asked["secret"]), server.secret) or not spec.startswith(f"{above}/"):
            raise PermissionError("not one of ours")
        self.wfile.write(json.dumps(_start(asked["python"], spec, self.connection)).encode() + b"\n")


def _start(python: str, spec: str, asker: socket.socket) -> dict[str, Any]:
    """Start a shim; whoever asked and then dies does not want it any more."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "__main__.py")
    shim = subprocess.Popen([python, "-I", "-S", script, spec], cwd=os.path.dirname(spec), stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={"PATH": os.defpath},
                            start_new_session=True)
    ended = os.pidfd_open(shim.pid)
    try:
        if ended not in select.select([ended, asker.fileno()], [], [], _SECONDS)[0]:
            shim.kill()
    finally:
        os.close(ended)
    errors = shim.communicate()[1].decode(errors="replace")
    return {"exit_code": shim.returncode, "errors": errors}


def serve(folder: str) -> None:
    """Answer until we are ended."""
    os.umask(0o077)
    with Server(folder) as server:
        with open(os.path.join(folder, "secret.next"), "w") as file:
            file.write(server.secret)
        os.rename(os.path.join(folder, "secret.next"), os.path.join(folder, "secret"))
        server.serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1])
