"""How visitors talk to the bundled site; OSError, HTTPException and ValueError mean a request that is lost."""

from __future__ import annotations

import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

PATIENCE_SECONDS = 30.0
LEAVING = threading.Event()
"""Set when the load is over: long talks end."""
PATHS = ("/api/videos", "/api/videos?q=clock&sort=relevance", "/api/categories", "/api/videos?page=3", "/api/tags")
CLIP = "/demo/clips/sliding-doors.mp4"
Talk = Callable[[HTTPConnection], tuple[float, str]]  # the longest it waited at once, and the row that it wrote


def read(path: str) -> Talk:
    def talk(connection: HTTPConnection) -> tuple[float, str]:
        began = time.monotonic()
        _answer(connection, "GET", path)
        return time.monotonic() - began, ""
    return talk


def write(connection: HTTPConnection) -> tuple[float, str]:
    began, row = time.monotonic(), f"/row/{uuid.uuid4().hex}"
    _answer(connection, "POST", "/api/events", json.dumps({"type": "page_view", "path": row}).encode())
    return time.monotonic() - began, row


def write_slowly(connection: HTTPConnection) -> tuple[float, str]:
    """A body that takes two seconds to arrive: the request is under way at the service all the while."""
    row = f"/row/{uuid.uuid4().hex}"
    body = json.dumps({"type": "page_view", "path": row}).encode().ljust(4000)
    connection.putrequest("POST", "/api/events")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    for start in range(0, len(body), 200):
        time.sleep(0.1)
        began = time.monotonic()
        connection.send(body[start:start + 200])
    finish(connection)
    return time.monotonic() - began, row


def download_slowly(connection: HTTPConnection) -> tuple[float, str]:
    """A list of 2000 videos over a connection that takes little at a time; the answer is still being written for
    about two seconds."""
    connection.sock = socket.socket()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    connection.sock.settimeout(PATIENCE_SECONDS)
    connection.sock.connect((connection.host, connection.port))
    connection.request("GET", "/api/videos?page_size=2000")
    began, content, longest = time.monotonic(), b"", 0.0
    answer = connection.getresponse()
    while not answer.isclosed():
        content += answer.read(16384)
        longest = max(longest, time.monotonic() - began)
        time.sleep(0.02)
        began = time.monotonic()
    if answer.status != 200 or not json.loads(content)["items"]:
        raise HTTPException(f"answered {answer.status}")
    connection.close()
    return longest, ""


def in_ranges(connection: HTTPConnection) -> tuple[float, str]:
    """A clip as a player gets it: in ranges, one after the other, which together are the whole."""
    longest, content, size = 0.0, b"", 1
    while len(content) < size:
        began = time.monotonic()
        span = f"bytes={len(content)}-{len(content) + 9999}"
        connection.request("GET", CLIP, headers={"Range": span})
        answer = connection.getresponse()
        content += answer.read()
        if answer.status != 206:
            raise HTTPException(f"answered {answer.status}")
        size = int(answer.headers["Content-Range"].rpartition("/")[2])
        longest = max(longest, time.monotonic() - began)
    if content[4:8] != b"ftyp":
        raise HTTPException("not the clip")
    return longest, ""


def _answer(connection: HTTPConnection, method: str, path: str, body: bytes | None = None) -> None:
    connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
    finish(connection)


def finish(connection: HTTPConnection) -> bytes:
    """The whole answer; HTTPException when it is no success."""
    answer = connection.getresponse()
    content = answer.read()
    if not 200 <= answer.status < 300:
        raise HTTPException(f"answered {answer.status}")
    return content


@dataclass(frozen=True)
class Kind:
    """One way to talk to a service, again and again with a rest between; `fresh`: each on a connection of its own."""

    service: str
    talks: tuple[Talk, ...]
    rest: float
    fresh: bool = False


KINDS: Mapping[str, Kind] = {
    "GET": Kind("backend", tuple(map(read, PATHS)), 0.02),
    "GET, new connection": Kind("backend", (read(PATHS[0]),), 0.05, fresh=True),
    "page": Kind("frontend", (read("/"),), 0.2),
    "POST": Kind("backend", (write,), 0.02),
    "POST, 2 s upload": Kind("backend", (write_slowly,), 0.05),
    "slow download": Kind("backend", (download_slowly,), 0.5, fresh=True),
    "clip in ranges": Kind("backend", (in_ranges,), 0.1),
}
MIXED = {"GET": 2, "GET, new connection": 1, "page": 1, "POST": 3, "POST, 2 s upload": 2, "slow download": 1,
         "clip in ranges": 1}
