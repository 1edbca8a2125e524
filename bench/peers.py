"""The same load and as many switches for aiimprove and for what else people use on one machine, in one table.

The app is bench/talks: POST over keep-alive and rested connections, uploads of 5 MB, streaming answers, event streams
and WebSockets, from a process of its own, nothing sent twice; who lost a request comes back after 0.1 s. For each peer
the app's new version is put in the place of the old one as its manual says; the blue/green ones wait until the new one
answers, and give the old one three seconds to drain, as aiimprove is told to here. Waits are those of GET and POST that
were answered. A WebSocket that is closed with a close frame and an event stream that is ended
properly are not lost: browsers come back by themselves. What is not installed is not run.

The peers are looked for in the folder of --peers-folder (with bin/, venv/bin/ or npm/node_modules/.bin/), then on PATH.
To install them: `python -m venv F/venv && F/venv/bin/pip install uvicorn uvicorn-worker websockets gunicorn circus`,
`npm install --prefix F/npm pm2`, and nginx and haproxy from the distribution.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from aiimprove.rollout import Order, put_live
from bench import talking
from bench.figures import Figures, Row, Target, Wanted, main, percentile
from bench.load import Load, Sent
from bench.peer_servers import PEERS, Ground, Missing, Peer
from bench.stalls import QUIET, SWITCHING, Span, Switches, by_window, lost
from bench.talks_site import talks

SWITCHES, SWITCHES_SHORT = 20, 2
PAUSE, QUIET_SECONDS = 1.0, 15.0
OURS = "aiimprove"


def measure(wanted: Wanted) -> Figures:
    switches = wanted.more["switches"] or (SWITCHES_SHORT if wanted.short else SWITCHES)
    found = [_ours(switches)]
    for name, peer in PEERS.items():
        found.append(_of_a_peer(name, peer, wanted.more["peers_folder"], switches))
        print(found[-1])
    return Figures(found, [
        Target(f"{OURS}: requests lost over {switches} switches, of {found[0]['requests']}", found[0]["lost"], 0),
        Target(f"{OURS}: acknowledged rows lost or doubled", found[0]["wrong rows"], 0)])


def _ours(switches: int) -> Row:
    with talks() as app:
        engine = app.engine
        turns = [app.another_release(), engine.live()]
        sent, spans = _under_load(app.port, switches, lambda number: put_live(engine, Order(turns[number % 2])))
        return _row(OURS, sent, spans, app.rows)


def _of_a_peer(name: str, kind: type[Peer], programs: str, switches: int) -> Row:
    with tempfile.TemporaryDirectory(prefix="bench-peer-") as folder:
        ground = Ground(Path(folder), programs)
        ground.release("r0")
        peer = kind(ground)
        try:
            peer.start()
        except Missing as missing:
            return {"who": name, "switches": f"not run: {missing} is not installed"}

        def switch(number: int) -> None:
            ground.release(f"r{number + 1}")
            peer.switch()
            ground.until_serves(f"r{number + 1}")

        try:
            ground.until_serves("r0")
            sent, spans = _under_load(ground.port, switches, switch)
            return _row(name, sent, spans, ground.folder / "rows.txt")
        finally:
            peer.stop()


def _under_load(port: int, switches: int, switch: Callable[[int], object]) -> tuple[list[Sent], list[Span]]:
    spans: list[Span] = []
    with Load({"talks": port}, talking.MIXED) as load:
        time.sleep(QUIET_SECONDS)
        for number in range(switches):
            began = time.monotonic()
            switch(number)
            spans.append((began, time.monotonic()))
            time.sleep(PAUSE)
    return load.sent, spans


def _row(who: str, sent: Sequence[Sent], spans: Sequence[Span], noted: Path) -> Row:
    windows = by_window(sent, Switches(spans, [(spans[0][0], spans[-1][1] + PAUSE)]))
    stand = Counter(noted.read_text().split())
    short = {window: [1000 * each.waited for each in these
                      if not each.problem and each.kind.startswith(("talk: GET", "talk: POST"))]
             for window, these in windows.items()}
    named = {"POST": "POST", "GET": "GET", "WebSocket": "WebSocket", "streams": "stream"}
    return {
        "who": who, "switches": len(spans), "requests": len(sent), "lost": lost(sent),
        "wrong rows": sum(stand[each.row] != 1 for each in sent if each.row),
        **{f"{title} lost": lost([each for each in sent if word in each.kind]) for title, word in named.items()},
        "p99 ms, no switch": percentile(short[QUIET], 0.99), "p99 ms, switching": percentile(short[SWITCHING], 0.99),
        "longest ms, no switch": max(short[QUIET], default=0.0),
        "longest ms, switching": max(short[SWITCHING], default=0.0)}


if __name__ == "__main__":
    main("peers", __doc__, measure, {
        "switches": (int, "how many switches for each"), "peers-folder": (str, "where the peers are installed")})
