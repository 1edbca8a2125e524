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


def beyond(sent: Sequence[Sent], switches: Switches, share: float) -> float:
    """How much longer (ms) a kind waited during switches than without, at this percentile; of the kind where that is
    most."""
    windows = by_window(sent, switches)
    kinds = {each.kind for each in windows[SWITCHING]} & {each.kind for each in windows[QUIET]}
    return max((_waited(windows[SWITCHING], kind, share) - _waited(windows[QUIET], kind, share) for kind in kinds),
               default=float("nan"))


def _waited(sent: Sequence[Sent], kind: str, share: float) -> float:
    return percentile((1000 * each.waited for each in sent if each.kind == kind), share)


def _row(window: str, kind: str, sent: Sequence[Sent]) -> Row:
    waited = [1000 * each.waited for each in sent]
    return {"kind": kind, "window": window, "requests": len(sent), "lost": lost(sent),
            "p50 ms": percentile(waited, 0.5), "p99 ms": percentile(waited, 0.99),
            "longest ms": max(waited, default=0.0)}
