"""Real servers that answer, answer badly, or take connections and say nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiimprove.heartbeat import SILENT_SECONDS, Heartbeat

GOOD, BAD = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n"


@contextmanager
def served(answer: Callable[[int], bytes]) -> Iterator[str]:
    """An address; the visitor of each number gets its answer, or, when that is empty, nothing while it is open."""
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def serve() -> None:
            while True:
                try:
                    visitor = listening.accept()[0]
                except OSError:
                    return
                kept.append(visitor)
                said = answer(len(kept))
                if said:
                    visitor.recv(4096)
                    visitor.sendall(said)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/health"
        listening.shutdown(socket.SHUT_RDWR)
    for each in kept:
        each.close()


def beats(heart: Heartbeat, url: str, seconds: float) -> float:
    """Ask four times a second until it is silent or failed thrice, or the time is over; how long that was."""
    began, pause = time.monotonic(), threading.Event()
    while time.monotonic() - began < seconds and not heart.silent and heart.failed < 3:
        heart.beat([url])
        pause.wait(0.25)
    return time.monotonic() - began


def test_who_answers_well_is_fine() -> None:
    with served(lambda _: GOOD) as url, Heartbeat() as heart:
        beats(heart, url, 2 * SILENT_SECONDS)
        assert (heart.failed, heart.silent) == (0, False)


def test_three_bad_answers_count_at_once() -> None:
    with served(lambda _: BAD) as url, Heartbeat() as heart:
        for _ in range(3):
            heart.beat([url])
        assert heart.failed == 3


def test_nobody_waits_long_for_who_says_nothing() -> None:
    with served(lambda _: b"") as url, Heartbeat() as heart:
        beats(heart, url, 30)
        assert heart.silent and heart.failed < 3


def test_one_good_answer_makes_up_for_those_that_hang() -> None:
    with served(lambda number: GOOD if number % 3 == 0 else b"") as url, Heartbeat() as heart:
        beats(heart, url, 3 * SILENT_SECONDS)
        assert not heart.silent and heart.failed < 3


def test_there_may_be_nobody_to_ask() -> None:
    with Heartbeat() as heart:
        for _ in range(3):
            heart.miss()
        assert heart.failed == 3
