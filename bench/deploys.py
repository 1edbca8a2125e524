"""What visitors notice of a deploy: requests lost, rows lost and the longest stall over 50 switches under mixed load.

Two releases of the bundled site take turns, as a deploy and as a rollback: each is started in the idle slot, proven
healthy, switched to, watched for a second (a rollback is not), and the one before is drained and stopped. The
switches go through `aiimprove.rollout.put_live`, which the verbs `deploy` and `rollback` use as well; what those do
before it (the proof) is left out here. Each switch is followed by as much time of the same load without one, which is
what a stall is compared with. A stall is the longest time that a request waited for the site at once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from aiimprove.rollout import Order, put_live
from bench.figures import Figures, Row, Target, Wanted, main, percentile
from bench.ground import another_release, rows_written, seed, standing, workspace
from bench.load import Load, Sent
from bench.site import Site

SWITCHES, SWITCHES_SHORT = 50, 6
MOST_STALL_MS = 250.0
QUIET, SWITCHING = "no switch", "switching"
Span = tuple[float, float]


def measure(wanted: Wanted) -> Figures:
    with standing(wanted, watch=1.0) as site:
        return over(site, SWITCHES_SHORT if wanted.short else SWITCHES)


def over(site: Site, switches: int) -> Figures:
    """The figures of so many switches on a site that is up and has no loop."""
    engine = workspace(site)
    seed(engine, 5000)
    turns = [another_release(site, engine), engine.live()]
    spans: list[Span] = []
    with Load({name: site.ports[f"{name}.live"] for name in ("backend", "frontend")}) as load:
        time.sleep(3)
        for number in range(switches):
            began = time.monotonic()
            put_live(engine, Order(turns[number % 2], reason="rollback" if number % 2 else "deploy"))
            spans.append((began, time.monotonic()))
            time.sleep(spans[-1][1] - began)
    return _figures(load.sent, spans, _wrong_rows(site, load.sent))


def _wrong_rows(site: Site, sent: Sequence[Sent]) -> int:
    """Acknowledged rows that do not stand in the database exactly once."""
    found = Counter(rows_written(site))
    return sum(found[each.row] != 1 for each in sent if each.row)


def _figures(sent: Sequence[Sent], spans: Sequence[Span], wrong_rows: int) -> Figures:
    windows = {QUIET: [each for each in sent if not _within(each, spans)],
               SWITCHING: [each for each in sent if _within(each, spans)]}
    kinds = list(dict.fromkeys(each.kind for each in sent))
    rows = [_row(window, kind, [each for each in these if each.kind == kind])
            for kind in kinds for window, these in windows.items()]
    rows += [_row(window, "all", these) for window, these in windows.items()]
    for each in sent:
        if each.problem:
            print(f"lost: {each.kind}, {_when(each, spans)}: {each.problem}")
    stalls = {window: 1000 * max(each.waited for each in these) for window, these in windows.items()}
    lost, written = _lost(sent), sum(bool(each.row) for each in sent)
    return Figures(rows, [
        Target(f"requests lost over {len(spans)} switches, of {len(sent)}", lost, 0),
        Target(f"acknowledged rows lost or doubled, of {written}", wrong_rows, 0),
        Target("longest stall beyond the same load without a switch, ms", stalls[SWITCHING] - stalls[QUIET],
               MOST_STALL_MS)])


def _row(window: str, kind: str, sent: Sequence[Sent]) -> Row:
    waited = [1000 * each.waited for each in sent]
    return {"kind": kind, "window": window, "requests": len(sent), "lost": _lost(sent),
            "p50 ms": percentile(waited, 0.5), "p99 ms": percentile(waited, 0.99),
            "longest ms": max(waited, default=0.0)}


def _lost(sent: Sequence[Sent]) -> int:
    return sum(bool(each.problem) for each in sent)


def _within(one: Sent, spans: Sequence[Span]) -> bool:
    return any(one.began < end and one.ended > begin for begin, end in spans)


def _when(one: Sent, spans: Sequence[Span]) -> str:
    begin, end = max((span for span in spans if span[0] <= one.ended), default=(0.0, 0.0))
    return f"{one.began - begin:.3f} s to {one.ended - begin:.3f} s after a switch of {end - begin:.1f} s began"


if __name__ == "__main__":
    main("deploys", __doc__, measure)
