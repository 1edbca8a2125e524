"""What visitors notice of a deploy: requests lost, rows lost and the longest stall over switches under mixed load.

Two releases take turns, as a deploy and as a rollback, on two sites, each under load from a process of its own:

site: the bundled site (FastAPI and Next.js). Each release is started in the idle slot, proven healthy, switched to,
watched for a second (a rollback is not), and the one before is drained and stopped: 50 times. These switches go
through `aiimprove.rollout.put_live`, which the verbs `deploy` and `rollback` use as well; what those do before it (the
proof) is left out here.

talks: a small app with every kind of traffic that a deploy could cut: POST over connections that rested, uploads of
5 MB, streaming answers, event streams and WebSockets. A tenth of its switches are whole deploys as above. The others
are between two slots that are both warm, verified before each switch as a promotion and a rollback do.

Nothing is ever sent twice, and each acknowledged row must stand exactly once. A stall is the longest time that a
request waited for the site at once; it is compared, method by method, with the same load in times without a switch.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

from aiimprove.release import Environment
from aiimprove.rollout import Order, put_live
from aiimprove.way_back import live_generation, serving_slot
from bench import talking
from bench.figures import Figures, Target, Wanted, main
from bench.ground import another_release, rows_written, seed, standing, workspace
from bench.load import Load, Sent
from bench.site import Site
from bench.stalls import Span, Switches, beyond, lost, rows
from bench.talks_site import Talks, talks

OF_THE_SITE, OF_THE_SITE_SHORT = 50, 6
OF_THE_TALKS, OF_THE_TALKS_SHORT = 1000, 20
IN_A_BLOCK, QUIET_SECONDS, QUIET_SECONDS_SHORT = 50, 20.0, 6.0
MOST_STALL_MS = 100.0


def measure(wanted: Wanted) -> Figures:
    count = wanted.more["switches"] or (OF_THE_TALKS_SHORT if wanted.short else OF_THE_TALKS)
    with talks() as app:
        found = over_talks(app, count, QUIET_SECONDS_SHORT if wanted.short else QUIET_SECONDS)
    if wanted.more["only"] == "talks":
        return found
    with standing(wanted, watch=1.0) as site:
        other = over(site, OF_THE_SITE_SHORT if wanted.short else OF_THE_SITE)
    return Figures([*found.rows, *other.rows], [*found.targets, *other.targets])


def over(site: Site, switches: int) -> Figures:
    """The figures of so many deploys and rollbacks on a bundled site that is up and has no loop."""
    engine = workspace(site)
    seed(engine, 5000)
    turns = [another_release(site, engine), engine.live()]
    spans: list[Span] = []
    with Load({name: site.ports[f"{name}.live"] for name in ("backend", "frontend")}) as load:
        time.sleep(3)
        for number in range(switches):
            order = Order(turns[number % 2], reason="rollback" if number % 2 else "deploy")
            spans.append(_timed(lambda order=order: put_live(engine, order)))  # type: ignore[misc]
            time.sleep(spans[-1][1] - spans[-1][0])
    return _figures("site", load.sent, Switches(spans, spans), _wrong_rows(rows_written(site), load.sent))


def over_talks(app: Talks, switches: int, quiet: float, whole: int = 0) -> Figures:
    """The figures of so many switches of the app with every kind of traffic, of which `whole` (0: a tenth) are whole
    deploys."""
    engine, spans, blocks = app.engine, list[Span](), list[Span]()
    turns = [app.another_release(), engine.live()]
    whole = whole or max(2, switches // 10 // 2 * 2)
    with Load({"talks": app.port}, talking.MIXED) as load:
        time.sleep(quiet)
        for first in range(0, whole, 10):
            spans += [_timed(lambda turn=turn: put_live(engine, Order(  # type: ignore[misc]
                turns[turn % 2], reason="rollback" if turn % 2 else "deploy")))
                for turn in range(first, min(first + 10, whole))]
            blocks.append((spans[-min(10, whole - first)][0], spans[-1][1]))
            time.sleep(quiet)
        for first in range(whole, switches, IN_A_BLOCK):
            spans += _warm(app, turns[0].id, min(IN_A_BLOCK, switches - first))
            blocks.append((spans[-min(IN_A_BLOCK, switches - first)][0], spans[-1][1]))
            time.sleep(quiet)
    return _figures("talks", load.sent, Switches(spans, blocks), _wrong_rows(app.rows.read_text().split(), load.sent))


def _warm(app: Talks, other: str, switches: int) -> list[Span]:
    """Switches between what is live and the other release, which is started beside it before and drained after."""
    engine = app.engine
    serving = serving_slot(engine)
    assert serving is not None
    beside = engine.slots.start(engine.store.release(other), serving.slot.other, Environment.LIVE)
    sides, spans = (beside, serving), list[Span]()

    def switch(number: int) -> None:
        engine.slots.verify(sides[number % 2])
        engine.gateway.switch(Environment.LIVE, live_generation(sides[number % 2]))

    for number in range(switches + switches % 2):
        spans.append(_timed(lambda number=number: switch(number)))  # type: ignore[misc]
        time.sleep(0.2)
    engine.slots.retire(beside)
    engine.slots.drain(beside, engine.config.deploy.drain_seconds)
    engine.slots.stop(beside)
    return spans[:switches]


def _timed(act: Callable[[], object]) -> Span:
    began = time.monotonic()
    act()
    return began, time.monotonic()


def _wrong_rows(stand: Sequence[str], sent: Sequence[Sent]) -> int:
    """Acknowledged rows that do not stand exactly once."""
    found = Counter(stand)
    return sum(found[each.row] != 1 for each in sent if each.row)


def _figures(what: str, sent: Sequence[Sent], switches: Switches, wrong_rows: int) -> Figures:
    for each in sent:
        if each.problem:
            print(f"lost: {what}, {each.kind}, {_when(each, switches.each)}: {each.problem}")
    count, written = len(switches.each), sum(bool(each.row) for each in sent)
    return Figures(rows(sent, switches, what), [
        Target(f"{what}: requests lost over {count} switches, of {len(sent)}", lost(sent), 0),
        Target(f"{what}: acknowledged rows lost or doubled, of {written}", wrong_rows, 0),
        *(Target(f"{what}: {method}, {title} wait beyond the same load without a switch, ms",
                 beyond(sent, switches, method, share), MOST_STALL_MS)
          for method in ("GET", "POST") for title, share in (("p99", 0.99), ("longest", 1.0)))])


def _when(one: Sent, spans: Sequence[Span]) -> str:
    begin, end = max((span for span in spans if span[0] <= one.ended), default=(0.0, 0.0))
    return f"{one.began - begin:.3f} s to {one.ended - begin:.3f} s after a switch of {end - begin:.1f} s began"


if __name__ == "__main__":
    main("deploys", __doc__, measure, {
        "switches": (int, "how many switches of the app 'talks'"),
        "only": (str, "'talks' leaves the bundled site out")})
