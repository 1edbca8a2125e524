"""What visitors lose when something is killed under load, and how soon it is back.

The app of bench/talks with every kind of traffic. Killed with SIGKILL, one after the other: the service, the gateway's
Caddy, the gateway's shim (which the loop, here this script, gives a successor), both at once; and the gateway is
replaced by another Caddy as an upgrade does it (this one loses only what Caddy takes at the moment at which it ends).
Then the bundled site's backend and front end. Nothing is sent twice by the visitors; who lost a request comes back
after 0.1 s. "back" is the time until a request that was begun after the death is answered.
"""

from __future__ import annotations

import signal
import statistics
import time
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection

from aiimprove.gateway import Gateway
from aiimprove.process import Identity
from aiimprove.release import Environment
from bench import talking
from bench.figures import Figures, Row, Target, Wanted, main
from bench.ground import standing, workspace
from bench.load import Load, Sent
from bench.site import Site
from bench.stalls import Span
from bench.talks_site import Talks, talks

TIMES, TIMES_SHORT, PAUSE = 10, 2, 3.0
MOST_BACK_S = 2.0
SERVICES = {"backend": "/api/videos", "frontend": "/"}
VISITORS = {"GET": 4, "POST": 4, "page": 2}
Death = Callable[[int], None]


def measure(wanted: Wanted) -> Figures:
    times, rows, back = TIMES_SHORT if wanted.short else TIMES, list[Row](), dict[str, float]()
    with talks() as app:
        for what, death in _deaths(app).items():
            spans, sent = _killed_under(Load({"talks": app.port}, talking.MIXED), death, times, app.port, "/")
            back[what] = max(end - begin for begin, end in spans)
            rows.append(_row(what, sent, spans))
    with standing(wanted) as site:
        for name, path in SERVICES.items():
            load = Load({each: site.ports[f"{each}.live"] for each in SERVICES}, VISITORS)
            spans, sent = _killed_under(load, partial(_service, site, name), times, site.ports[f"{name}.live"], path)
            back[name] = max(end - begin for begin, end in spans)
            rows.append(_row(f"{name} of the bundled site", sent, spans))
    return Figures(rows, [Target(f"{what}: seconds until it is back, longest", back[what], MOST_BACK_S)
                          for what in ("service", "Caddy", *SERVICES)])


def _killed_under(load: Load, death: Death, times: int, port: int, path: str) -> tuple[list[Span], list[Sent]]:
    spans: list[Span] = []
    with load:
        time.sleep(PAUSE)
        for number in range(times):
            began = time.monotonic()
            death(number)
            _until_answered(port, path)
            spans.append((began, time.monotonic()))
            time.sleep(PAUSE)
    return spans, load.sent


def _service(site: Site, name: str, _: int) -> None:
    for slot in workspace(site).slots.running(Environment.LIVE).values():
        _killed(slot.identities()[name])


def _deaths(app: Talks) -> dict[str, Death]:
    gateway, slots = app.engine.gateway, app.engine.slots

    def service(_: int) -> None:
        for slot in slots.running(Environment.LIVE).values():
            _killed(slot.identities()["talks"])

    def program(_: int) -> None:
        _killed(gateway.identities()[1])

    def shim(_: int) -> None:
        _killed(gateway.identities()[0])
        gateway.revive()

    def both(_: int) -> None:
        for who in gateway.identities():
            _killed(who)
        gateway.revive()

    def upgrade(number: int) -> None:
        Gateway(app.engine.config, held_seconds=9.0 if number % 2 else 8.0).start()

    return {"service": service, "Caddy": program, "shim of Caddy": shim, "Caddy and its shim": both, "upgrade": upgrade}


def _killed(who: Identity | None) -> None:
    assert who is not None and who.signal(signal.SIGKILL) and who.wait(5.0)


def _until_answered(port: int, path: str = "/") -> None:
    """Asks until an answer comes: the first that was asked after the death, when it is held."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.01)
        finally:
            connection.close()
    raise AssertionError("nothing answers")


def _row(what: str, sent: list[Sent], spans: list[Span]) -> Row:
    def lost(*words: str) -> float:
        return sum(bool(each.problem) and each.kind.startswith(words) for each in sent) / len(spans)

    said = sum("503" in each.problem for each in sent) / len(spans)
    waits = [end - begin for begin, end in spans]
    return {"killed": what, "times": len(spans), "requests": len(sent), "lost per time": lost(""),
            "of these answered 503": said, "GET": lost("talk: GET", "GET", "page"), "POST": lost("talk: POST", "POST"),
            "streams": lost("talk: str", "talk: ev"), "WebSocket": lost("talk: Web"),
            "back s, median": statistics.median(waits), "back s, longest": max(waits)}


if __name__ == "__main__":
    main("deaths", __doc__, measure)
