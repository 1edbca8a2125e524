"""`python -m aiimprove.exporter PORT`: answers 127.0.0.1:PORT/metrics, in a process of its own that outlives the loop.

It reads the access log on also when nobody asks, so that nothing is lost to rotation.
"""

from __future__ import annotations

import logging
import signal
import sqlite3
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiimprove import config, openmetrics
from aiimprove.metrics import Metrics
from aiimprove.workspace import Workspace

PATH = "/metrics"
_READ_SECONDS = 15.0
_LOG = logging.getLogger("aiimprove")


class Exporter(ThreadingHTTPServer):
    """One page for one port of this machine."""

    daemon_threads = True
    request_queue_size = 16

    def __init__(self, workspace: Workspace, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Scrape)
        self._workspace, self._metrics, self._one = workspace, Metrics(workspace), threading.Lock()
        self.names = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")}

    def page(self) -> str:
        """The metrics as they are now. A database belongs to the thread that opened it, so each look opens its own."""
        with self._one:
            own = replace(self._workspace)
            self._metrics.workspace = own
            try:
                self._metrics.read()
                self._metrics.save()
                return openmetrics.text(self._metrics.families())
            finally:
                own.store.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """One line in the log, and none for those who go away."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            _LOG.warning("metrics: %s: %s", type(error).__name__, error)


class _Scrape(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10.0
    server: Exporter

    def do_GET(self) -> None:
        """A page of the web that has its name lead to this machine is none of ours: hence the look at the host."""
        if self.headers.get("Host") not in self.server.names:
            self._say(421, "text/plain", "metrics are for this machine\n")
        elif self.path.partition("?")[0] != PATH:
            self._say(404, "text/plain", f"there is only {PATH}\n")
        else:
            try:
                self._say(200, openmetrics.CONTENT_TYPE, self.server.page())
            except sqlite3.Error as error:
                self._say(503, "text/plain", f"the state cannot be read ({error})\n")

    def _say(self, status: int, kind: str, words: str) -> None:
        content = words.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *values: Any) -> None:
        """Nothing: somebody asks every few seconds."""


def serve(port: int) -> None:
    """Answer until SIGTERM."""
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    with Exporter(Workspace(config.load(), "metrics"), port) as exporter:
        threading.Thread(target=exporter.serve_forever, daemon=True).start()
        while not over.wait(_READ_SECONDS):
            try:
                exporter.page()
            except sqlite3.Error as error:
                _LOG.warning("metrics: %s", error)
        exporter.shutdown()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
