"""What the gateway costs a request: the live back end through its public port against the slot's own private port.

One keep-alive connection to each; every request is sent both ways, one right after the other, in an order drawn anew
each time.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Sequence
from http.client import HTTPConnection

from aiimprove.release import Environment
from bench.figures import Figures, Row, Target, Wanted, main, percentile
from bench.ground import seed, standing, workspace
from bench.visits import CLIP

PAIRS, PAIRS_SHORT = 1500, 200
MOST_P50, MOST_P99 = 2.5, 3.0
REQUESTS = (("GET", "/health"), ("GET", "/api/videos"), ("GET", "/api/videos?q=clock"), ("GET", "/api/categories"),
            ("GET", CLIP), ("POST", "/api/events"))
Pair = tuple[float, float]  # seconds through the gateway, and direct


def measure(wanted: Wanted) -> Figures:
    with standing(wanted) as site:
        engine = workspace(site)
        seed(engine, 5000)
        private = next(iter(engine.slots.running(Environment.LIVE).values())).ports["backend"]
        ways = (_connected(site.ports["backend.live"]), _connected(private))
        for request in REQUESTS:
            _pair(ways, *request)
        seen: dict[tuple[str, str], list[Pair]] = {request: [] for request in REQUESTS}
        for _ in range(PAIRS_SHORT if wanted.short else PAIRS):
            for request in REQUESTS:
                seen[request].append(_pair(ways, *request))
    rows = [_row(" ".join(request), pairs) for request, pairs in seen.items()]
    rows.append(_row("all", [pair for pairs in seen.values() for pair in pairs]))
    return Figures(rows, [
        Target("p50 through the gateway against direct", rows[-1]["p50 ratio"], MOST_P50),
        Target("p99 through the gateway against direct", rows[-1]["p99 ratio"], MOST_P99)])


def _connected(port: int) -> HTTPConnection:
    connection = HTTPConnection("127.0.0.1", port, timeout=15)
    connection.connect()
    return connection


def _pair(ways: tuple[HTTPConnection, HTTPConnection], method: str, path: str) -> Pair:
    order = random.sample((0, 1), 2)
    seconds = {way: _seconds(ways[way], method, path) for way in order}
    return seconds[0], seconds[1]


def _seconds(connection: HTTPConnection, method: str, path: str) -> float:
    body = json.dumps({"type": "page_view", "path": f"/{uuid.uuid4().hex}"}) if method == "POST" else None
    began = time.perf_counter()
    connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
    answer = connection.getresponse()
    answer.read()
    seconds = time.perf_counter() - began
    if not 200 <= answer.status < 300:
        raise SystemExit(f"{method} {path} answered {answer.status}")
    return seconds


def _row(name: str, pairs: Sequence[Pair]) -> Row:
    through, direct = ([1000 * pair[way] for pair in pairs] for way in (0, 1))
    row = {"request": name, "pairs": len(pairs)}
    for share in (0.5, 0.99):
        p = f"p{100 * share:.0f}"
        ours, theirs = percentile(through, share), percentile(direct, share)
        row |= {f"{p} gateway ms": ours, f"{p} direct ms": theirs, f"{p} ratio": ours / theirs}
    return row


if __name__ == "__main__":
    main("gateway", __doc__, measure)
