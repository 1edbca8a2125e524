"""A small real HTTP/1.1 service for the tests of traffic: `python traffic_service.py PORT RELEASE [FAILING]`.

It says who it is, repeats what it got, streams, speaks WebSocket, waits and fails as asked.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    release = ""
    failing = False
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/ws":
            self._websocket()
        elif url.path == "/sse":
            self._stream(int(parse_qs(url.query).get("n", ["3"])[0]))
        elif url.path == "/chunked-events":
            self._chunks_without_end()
        elif url.path == "/health":
            self._answer(200, "ok")
        elif url.path == "/broken-off":
            self._break_off()
        else:
            time.sleep(float(parse_qs(url.query).get("s", ["0"])[0]))
            self._echo()

    def do_POST(self) -> None:
        time.sleep(float(parse_qs(urlsplit(self.path).query).get("s", ["0"])[0]))
        self._echo()

    do_HEAD = do_GET

    def _echo(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        failed = self.failing or urlsplit(self.path).path == "/fail"
        told = {"release": self.release, "pid": os.getpid(), "path": self.path, "headers": self.headers.items(),
                "body": body.decode()}
        missing = self.path.startswith("/_built/") and "own" not in self.path
        self._answer(500 if failed else 404 if missing else 200, json.dumps(told))

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("X-From-App", "yes")
        if self.path == "/cookies":
            for cookie in ("a=1; Path=/", "aiimprove_operator=stolen; Path=/", "=aiimprove_operator=x", "b=2"):
                self.send_header("Set-Cookie", cookie)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    def _break_off(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"half")
        self.close_connection = True

    def _stream(self, events: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number in range(events):
            self.wfile.write(f"data: {number} {time.time()}\n\n".encode())
            self.wfile.flush()
            time.sleep(0.1)
        self.close_connection = True

    def _chunks_without_end(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(10_000):
            event = f"data: {number}\n\n".encode()
            self.wfile.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
            time.sleep(0.05)

    def _websocket(self) -> None:
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.wfile.flush()
        while data := self.rfile.read1(4096):
            self.wfile.write(self.release.encode() + b":" + data)
            self.wfile.flush()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        return


class Server(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True


if __name__ == "__main__":
    Service.release, Service.failing = sys.argv[2], len(sys.argv) > 3
    Server(("127.0.0.1", int(sys.argv[1])), Service).serve_forever()
