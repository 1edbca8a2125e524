"""How visitors talk to the app of bench/talks: every kind of traffic that a deploy could cut. What is cut, answered
wrongly or refused raises OSError, HTTPException or ValueError. A service may end a WebSocket with a close frame and an
event stream with a proper end: browsers then come back by themselves, which is what the visitors here do as well."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
import uuid
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException

from bench.visits import LEAVING, PATIENCE_SECONDS, Kind, Talk, finish, read

UPLOAD_BYTES, UPLOAD_SECONDS = 5_000_000, 2.0
SESSION_SECONDS, ECHO_SECONDS = 12.0, 0.02
_TEXT, _CLOSE = 1, 8


def write(connection: HTTPConnection) -> tuple[float, str]:
    began, row = time.monotonic(), uuid.uuid4().hex
    connection.request("POST", "/rows", json.dumps({"row": row}))
    finish(connection)
    return time.monotonic() - began, row


def write_after_a_rest(connection: HTTPConnection) -> tuple[float, str]:
    """On a connection that nobody has used for a while."""
    time.sleep(1.5)
    return write(connection)


def upload(connection: HTTPConnection) -> tuple[float, str]:
    """Five megabytes in two seconds; the longest wait is that for a piece to be taken, or for the answer."""
    row, piece, longest = uuid.uuid4().hex, os.urandom(UPLOAD_BYTES // 50), 0.0
    connection.putrequest("POST", f"/upload?row={row}")
    connection.putheader("Content-Length", str(len(piece) * 50))
    connection.endheaders()
    for _ in range(50):
        time.sleep(UPLOAD_SECONDS / 50)
        began = time.monotonic()
        connection.send(piece)
        longest = max(longest, time.monotonic() - began)
    began = time.monotonic()
    if json.loads(finish(connection))["sha256"] != hashlib.sha256(piece * 50).hexdigest():
        raise HTTPException("another upload arrived")
    return max(longest, time.monotonic() - began), row


def streamed(connection: HTTPConnection) -> tuple[float, str]:
    """An answer of two seconds, a line every 50 ms; the wait is the longest between two."""
    longest, content = _listen(connection, "/stream", {}, PATIENCE_SECONDS)
    if not content.endswith(b"end\n"):
        raise HTTPException("the end is missing")
    return longest, ""


def events(connection: HTTPConnection) -> tuple[float, str]:
    """Server-sent events, until we leave or the service ends them properly."""
    longest, content = _listen(connection, "/events", {"Accept": "text/event-stream"}, SESSION_SECONDS)
    told = [int(line[6:]) for line in content.split(b"\n\n")[:-1]]
    if told != list(range(1, len(told) + 1)):
        raise HTTPException("an event is missing")
    return longest, ""


def _listen(connection: HTTPConnection, path: str, headers: Mapping[str, str], seconds: float) -> tuple[float, bytes]:
    until, began = time.monotonic() + seconds, time.monotonic()
    connection.request("GET", path, headers=dict(headers))
    answer, longest, content = connection.getresponse(), 0.0, b""
    if answer.status != 200:
        raise HTTPException(f"answered {answer.status}")
    while time.monotonic() < until and not (headers and LEAVING.is_set()) and (piece := answer.read1(65536)):
        longest, began, content = max(longest, time.monotonic() - began), time.monotonic(), content + piece
    connection.close()
    return longest, content


def converse(connection: HTTPConnection) -> tuple[float, str]:
    """A WebSocket that repeats what it is told, until we leave or the service closes it with a close frame."""
    key, until, longest = base64.b64encode(os.urandom(16)).decode(), time.monotonic() + SESSION_SECONDS, 0.0
    connection.connect()
    connection.sock.sendall(f"GET /talk HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
    wire = connection.sock.makefile("rb")
    status = wire.readline()
    if b" 101 " not in status:
        raise HTTPException(f"answered {status!r}")
    while wire.readline().strip():
        pass
    number = 0
    while time.monotonic() < until and not LEAVING.is_set():
        number += 1
        began, text = time.monotonic(), str(number).encode()
        connection.sock.sendall(_frame(_TEXT, text))
        kind, content = _received(wire)
        if kind == _CLOSE:
            break
        if content != text:
            raise HTTPException(f"{content!r} instead of {text!r}")
        longest = max(longest, time.monotonic() - began)
        time.sleep(ECHO_SECONDS)
    wire.close()
    connection.close()
    return longest, ""


def _frame(kind: int, text: bytes) -> bytes:
    return bytes([0x80 | kind, 0x80 | len(text), 0, 0, 0, 0]) + text  # masked with zeros


def _received(wire: object) -> tuple[int, bytes]:
    head: bytes = wire.read(2)  # type: ignore[attr-defined]
    if len(head) < 2:
        raise HTTPException("the WebSocket was cut")
    return head[0] & 15, wire.read(head[1] & 127)  # type: ignore[attr-defined]


def _kind(*talks: Talk, rest: float, fresh: bool = False) -> Kind:
    return Kind("talks", talks, rest, fresh)


KINDS: Mapping[str, Kind] = {
    "talk: GET": _kind(read("/"), rest=0.02),
    "talk: GET, new connection": _kind(read("/"), rest=0.05, fresh=True),
    "talk: POST": _kind(write, rest=0.02),
    "talk: POST after a rest": _kind(write_after_a_rest, rest=0.0),
    "talk: POST of 5 MB": _kind(upload, rest=0.05),
    "talk: streaming answer": _kind(streamed, rest=0.05, fresh=True),
    "talk: event stream": _kind(events, rest=0.0, fresh=True),
    "talk: WebSocket": _kind(converse, rest=0.0, fresh=True),
}
MIXED = {"talk: GET": 2, "talk: GET, new connection": 1, "talk: POST": 3, "talk: POST after a rest": 2,
         "talk: POST of 5 MB": 1, "talk: streaming answer": 1, "talk: event stream": 2, "talk: WebSocket": 3}
