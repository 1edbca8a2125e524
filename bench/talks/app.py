"""An app for every kind of traffic, for benches: rows, uploads, streams, server-sent events and WebSockets. Plain ASGI.

Each row that it acknowledges stands as one line in the file ROWS.
"""

import asyncio
import hashlib
import json
import os
from urllib.parse import parse_qs

ROWS = os.environ.get("ROWS", "rows.txt")
try:
    with open(os.environ.get("RELEASE_FILE", "release.txt")) as _file:
        RELEASE = _file.read().strip()
except OSError:
    RELEASE = "?"


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "websocket":
        await talk(receive, send)
    else:
        await ROUTES.get((scope["method"], scope["path"]), missing)(scope, receive, send)


async def lifespan(receive, send):
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


async def talk(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


async def page(scope, receive, send):
    await answer(send, 200, {"release": RELEASE, "pid": os.getpid()})


async def missing(scope, receive, send):
    await answer(send, 404, {"error": "no such page"})


async def row(scope, receive, send):
    content = b"".join([piece async for piece in body(receive)])
    keep(json.loads(content)["row"])
    await answer(send, 201, {"bytes": len(content)})


async def upload(scope, receive, send):
    digest, size = hashlib.sha256(), 0
    async for piece in body(receive):
        digest.update(piece)
        size += len(piece)
    keep(parse_qs(scope["query_string"].decode())["row"][0])
    await answer(send, 201, {"bytes": size, "sha256": digest.hexdigest()})


async def stream(scope, receive, send):
    """Two seconds of an answer."""
    await begin(send, 200, "text/plain")
    for number in range(40):
        await send({"type": "http.response.body", "body": f"{number}\n".encode(), "more_body": True})
        await asyncio.sleep(0.05)
    await send({"type": "http.response.body", "body": b"end\n"})


async def events(scope, receive, send):
    """Without an end."""
    await begin(send, 200, "text/event-stream")
    left = asyncio.create_task(gone(receive))
    number = 0
    while not left.done():
        number += 1
        await send({"type": "http.response.body", "body": f"data: {number}\n\n".encode(), "more_body": True})
        await asyncio.sleep(0.05)


async def gone(receive):
    while (await receive())["type"] != "http.disconnect":
        pass


async def body(receive):
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the visitor went away")
        yield message.get("body", b"")
        more = message.get("more_body", False)


def keep(name):
    with open(ROWS, "ab", buffering=0) as file:
        file.write(f"{name}\n".encode())


async def answer(send, status, content):
    text = json.dumps(content).encode()
    await begin(send, status, "application/json", len(text))
    await send({"type": "http.response.body", "body": text})


async def begin(send, status, kind, length=None):
    headers = [(b"content-type", kind.encode())]
    headers += [(b"content-length", str(length).encode())] if length is not None else []
    await send({"type": "http.response.start", "status": status, "headers": headers})


ROUTES = {("GET", "/"): page, ("GET", "/health"): page, ("POST", "/rows"): row, ("POST", "/upload"): upload,
          ("GET", "/stream"): stream, ("GET", "/events"): events}
