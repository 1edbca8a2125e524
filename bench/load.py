"""Mixed load on the live site, from a process of its own: reads, writes, pages, slow uploads and downloads.

Nothing is ever sent twice. A connection that is closed on us, a short body and any answer that is not a success are
lost requests; so is a connection that is refused.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import cycle

from bench import talking
from bench.visits import KINDS as OF_THE_SITE
from bench.visits import LEAVING, MIXED, PATIENCE_SECONDS

AFTER_A_LOSS_SECONDS = 0.1
KINDS = {**OF_THE_SITE, **talking.KINDS}


@dataclass(frozen=True)
class Sent:
    """One request: when it began and ended (monotonic seconds), the longest that it waited for the site at once, what
    went wrong (empty: nothing), and the row that it wrote (empty: none)."""

    kind: str
    began: float
    ended: float
    waited: float
    problem: str = ""
    row: str = ""


class Load:
    """Runs between `with` and its end; then `sent` holds every request. `ports` are those of the services that its
    kinds talk to."""

    def __init__(self, ports: Mapping[str, int], kinds: Mapping[str, int] | None = None) -> None:
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        self._pipe = ours
        self._process = multiprocessing.get_context("spawn").Process(
            target=_main, args=(dict(ports), dict(kinds or MIXED), theirs), daemon=True)
        self.sent: list[Sent] = []

    def __enter__(self) -> Load:
        self._process.start()
        assert self._pipe.recv() == "running"
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send("stop")
        self.sent = self._pipe.recv()
        self._process.join()


def _main(ports: dict[str, int], kinds: dict[str, int], pipe: multiprocessing.connection.Connection) -> None:
    sent = list[Sent]()
    threads = [threading.Thread(target=_visitor, args=(name, ports[KINDS[name].service], sent))
               for name, count in kinds.items() for _ in range(count)]
    for thread in threads:
        thread.start()
    pipe.send("running")
    pipe.recv()
    LEAVING.set()
    for thread in threads:
        thread.join()
    pipe.send(sent)


def _visitor(name: str, port: int, sent: list[Sent]) -> None:
    kind = KINDS[name]
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    for talk in cycle(kind.talks):
        if LEAVING.wait(kind.rest):
            break
        began = time.monotonic()
        try:
            waited, row = talk(connection)
            sent.append(Sent(name, began, time.monotonic(), waited, row=row))
        except (OSError, HTTPException, ValueError) as error:
            ended = time.monotonic()
            sent.append(Sent(name, began, ended, ended - began, problem=repr(error)))
            connection.close()
            LEAVING.wait(AFTER_A_LOSS_SECONDS)
        if kind.fresh:
            connection.close()
    connection.close()
