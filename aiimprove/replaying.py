"""Requests of visitors, replayed in pairs: one to the candidate, one to the stable release, in random order.

Only reads whose answer to a visitor was good, none of the operator's, and without cookie or authorisation. A header
tells the app, so that it need not count them as visits.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from aiimprove.canary import Pair, route
from aiimprove.gateway import Answer
from aiimprove.probes import Dropped, Line, Unreachable

HEADER = "X-Aiimprove-Replay"
OPERATORS = "/api/ai-"
_KEPT = 500
_LONGEST_SECONDS, _MOST_BYTES, _GIVEN_UP_SECONDS = 1.0, 1_000_000, 2.0


@dataclass(frozen=True)
class Asked:
    service: str
    uri: str

    @property
    def route(self) -> str:
        return route(self.service, "GET", self.uri)


@dataclass
class Recorded:
    """The latest reads of visitors that may be replayed."""

    asked: deque[Asked] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def keep(self, answers: Iterable[Answer]) -> None:
        self.asked.extend(Asked(each.service, each.uri) for each in answers if _may_be_replayed(each))


def _may_be_replayed(answer: Answer) -> bool:
    return (answer.method == "GET" and 200 <= answer.status < 300 and answer.finished and not answer.failed_candidate
            and answer.seconds <= _LONGEST_SECONDS and OPERATORS not in answer.uri and answer.uri.startswith("/"))


class Replays:
    """Lines to both releases: private ports by service. Raises nothing: what does not answer is a bad answer."""

    def __init__(self, candidate: Mapping[str, int], stable: Mapping[str, int], opened: ExitStack) -> None:
        self._lines = [{name: opened.enter_context(Line(f"http://127.0.0.1:{port}", seconds=_GIVEN_UP_SECONDS,
                                                        most=_MOST_BYTES)) for name, port in ports.items()}
                       for ports in (candidate, stable)]
        self._services = candidate.keys() & stable.keys()

    def replay(self, recorded: Recorded, alike: str = "") -> Pair | None:
        """One pair, drawn among the recorded requests, of the route `alike` if there are any; None when there is
        nothing to replay."""
        known = [each for each in recorded.asked if each.service in self._services]
        known = [each for each in known if each.route == alike] or known
        if not known:
            return None
        asked, order = random.choice(known), [0, 1]
        random.shuffle(order)
        answers = {side: self._send(side, asked) for side in order}
        (new_bad, new_seconds), (old_bad, old_seconds) = answers[0], answers[1]
        return Pair(asked.route, (new_bad, old_bad), (new_seconds, old_seconds))

    def _send(self, side: int, asked: Asked) -> tuple[bool, float]:
        began = time.monotonic()
        try:
            answer = self._lines[side][asked.service].send("GET", asked.uri, headers={HEADER: "yes"})
        except (Dropped, Unreachable):
            return True, time.monotonic() - began
        return answer.status >= 500, time.monotonic() - began
