"""What the requests of a load say about switches: how many were lost, and how long any had to wait."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import Row, percentile
from bench.load import Sent

QUIET, SWITCHING = "no switch", "switching"
Span = tuple[float, float]


def lost(sent: Sequence[Sent]) -> int:
    return sum(bool(each.problem) for each in sent)


@dataclass(frozen=True)
class Switches:
    """When each switch began and ended, and the longer times in which one followed the other; both in order."""

    each: Sequence[Span]
    blocks: Sequence[Span]


def by_window(sent: Sequence[Sent], switches: Switches) -> dict[str, list[Sent]]:
    """Requests that were under way during a switch, and those that met no time of switches at all."""
    return {QUIET: [one for one in sent if not _met(one, switches.blocks)],
            SWITCHING: [one for one in sent if _met(one, switches.each)]}


def _met(one: Sent, spans: Sequence[Span]) -> bool:
    first = bisect.bisect_right(spans, one.began, key=lambda span: span[1])
    return first < len(spans) and spans[first][0] < one.ended


def rows(sent: Sequence[Sent], switches: Switches, what: str) -> list[Row]:
    """For each kind, and all, each window: requests, lost ones, and how long they waited."""
    windows = by_window(sent, switches)
    named = {"what": what}
    kinds = [*dict.fromkeys(each.kind for each in sent), "all"]
    return [named | _row(window, kind, [each for each in these if kind in ("all", each.kind)])
            for kind in kinds for window, these in windows.items()]


def beyond(sent: Sequence[Sent], switches: Switches, method: str, share: float) -> float:
    """How much longer (ms) the requests of a method waited during switches than without, at this percentile."""
    windows = by_window([each for each in sent if method_of(each.kind) == method], switches)
    waits = {name: percentile((1000 * each.waited for each in these), share) for name, these in windows.items()}
    return waits[SWITCHING] - waits[QUIET]


def method_of(kind: str) -> str:
    """GET or POST; those who listen without an end are neither."""
    if "WebSocket" in kind or "event stream" in kind:
        return ""
    return "POST" if "POST" in kind else "GET"


def _row(window: str, kind: str, sent: Sequence[Sent]) -> Row:
    waited = [1000 * each.waited for each in sent]
    return {"kind": kind, "window": window, "requests": len(sent), "lost": lost(sent),
            "p50 ms": percentile(waited, 0.5), "p99 ms": percentile(waited, 0.99),
            "longest ms": max(waited, default=0.0)}
