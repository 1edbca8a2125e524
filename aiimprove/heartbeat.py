"""Whether a release answers its health: asked at every look, without waiting for what is still to be answered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType

from aiimprove.errors import AiimproveError
from aiimprove.probes import get

ANSWER_SECONDS, SILENT_SECONDS = 2.0, 1.5
PATIENCE = 0.25
_LEAST, _AT_ONCE = 3, 16


@dataclass(frozen=True)
class _Beat:
    began: float
    healthy: Future[bool]


class Heartbeat:
    """The beats of one release. `failed` counts those in a row that were answered badly, or not in `ANSWER_SECONDS`;
    `silent`: for `SILENT_SECONDS` no good answer came, although it was asked again and again."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="heartbeat")
        self._waiting: list[_Beat] = []
        self._good = time.monotonic()
        self.failed, self.silent = 0, False

    def __enter__(self) -> Heartbeat:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def miss(self) -> None:
        """There is nobody to ask."""
        self.failed += 1

    def beat(self, urls: Sequence[str]) -> None:
        """Ask every address now, and count what has been answered so far."""
        asked = _Beat(time.monotonic(), self._pool.submit(healthy, tuple(urls), ANSWER_SECONDS))
        self._waiting.append(asked)
        wait([asked.healthy], PATIENCE)
        for beat in [each for each in self._waiting if each.healthy.done()]:
            self._count(beat)
        unanswered = self.failed + len(self._waiting)
        self.silent = unanswered >= _LEAST and time.monotonic() - self._good >= SILENT_SECONDS

    def _count(self, beat: _Beat) -> None:
        """A good answer makes up for all that were asked before."""
        if beat.healthy.result():
            self.failed, self._good = 0, time.monotonic()
            self._waiting = [each for each in self._waiting if each.began > beat.began]
        elif beat in self._waiting:
            self.failed += 1
            self._waiting.remove(beat)


def healthy(urls: Sequence[str], seconds: float) -> bool:
    """Whether every address answers 200 in time."""
    try:
        return all(get(url, seconds=seconds).status == 200 for url in urls)
    except AiimproveError:
        return False
