"""What the gateway costs a request: the live back end through its public port against the slot's own private port.

One keep-alive connection to each; every request is sent both ways, one right after the other, in an order drawn anew
each time. In turns the gateway records requests, as it does by default (a tenth of the reads, every write), and records
none.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from http.client import HTTPConnection

from aiimprove.gateway import Gateway
from aiimprove.release import Environment
from aiimprove.settings import Recorder
from bench.figures import Figures, Row, Target, Wanted, main, percentile
from bench.ground import seed, standing, workspace
from bench.visits import CLIP

PAIRS, PAIRS_SHORT, BLOCKS = 1500, 200, 10
MOST_P50, MOST_P99, MOST_RECORDING = 2.5, 3.0, 1.2
RECORDING, SILENT = "recording", "not recording"
REQUESTS = (("GET", "/health"), ("GET", "/api/videos"), ("GET", "/api/videos?q=clock"), ("GET", "/api/categories"),
            ("GET", CLIP), ("POST", "/api/events"))
Pair = tuple[float, float]  # seconds through the gateway, and direct


def measure(wanted: Wanted) -> Figures:
    with standing(wanted) as site:
        engine = workspace(site)
        seed(engine, 5000)
        live, silent = engine.gateway.current(Environment.LIVE), Recorder(reads_percent=0, writes_percent=0)
        assert live is not None
        gateways = {RECORDING: engine.gateway, SILENT: Gateway(replace(engine.config, recorder=silent))}
        seen: dict[tuple[str, str], list[Pair]] = {(how, " ".join(each)): [] for how in gateways for each in REQUESTS}
        for _ in range(BLOCKS):
            for how, gateway in gateways.items():
                gateway.switch(Environment.LIVE, live)
                private = next(iter(engine.slots.running(Environment.LIVE).values())).ports["backend"]
                ways = (_connected(site.ports["backend.live"]), _connected(private))
                for request in REQUESTS:
                    _pair(ways, *request)
                for _ in range((PAIRS_SHORT if wanted.short else PAIRS) // BLOCKS):
                    for request in REQUESTS:
                        seen[how, " ".join(request)].append(_pair(ways, *request))
    return _figures(seen)


def _figures(seen: dict[tuple[str, str], list[Pair]]) -> Figures:
    rows = [_row(name, pairs) for (how, name), pairs in seen.items() if how == RECORDING]
    both = [_row(f"all, {how}", [pair for (each, _), pairs in seen.items() if each == how for pair in pairs])
            for how in (RECORDING, SILENT)]
    return Figures([*rows, *both], [
        Target("p50 through the gateway against direct", both[0]["p50 ratio"], MOST_P50),
        Target("p99 through the gateway against direct", both[0]["p99 ratio"], MOST_P99),
        Target("p50 through the gateway, recording against not", both[0]["p50 ratio"] / both[1]["p50 ratio"],
               MOST_RECORDING)])


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
