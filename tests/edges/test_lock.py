"""Leases between real processes: the dead and the sleeping lose them, and a stale holder writes nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from tiny import FINDING

from aiimprove import lock
from aiimprove.errors import Locked, Stale
from aiimprove.improvement import Improvement, Status
from aiimprove.lock import end_stopped_writers, held, holder
from aiimprove.process import Identity
from aiimprove.store import Store

HOLDER = """
import signal
import sys
from pathlib import Path
from aiimprove import lock
from aiimprove.errors import AiimproveError
from aiimprove.improvement import Status
from aiimprove.store import Store
lock.LEASE_SECONDS = float(sys.argv[2])
store = Store(Path(sys.argv[1]))
try:
    with lock.held(store, "deploy", "putting r-1 live"):
        seen = store.improvement("i")
        print("held", flush=True)
        sys.stdin.readline()
        if sys.argv[3:] == ["transaction"]:
            with store.transaction():
                signal.raise_signal(signal.SIGSTOP)
        store.save(seen, seen.advance(Status.GENERATED), "holder")
        print("saved", flush=True)
    if sys.argv[3:] == ["rest"]:
        sys.stdin.readline()
except AiimproveError as error:
    print(error.code, flush=True)
"""


@contextmanager
def another_holder(store: Store, seconds: float = 10.0, *where: str) -> Iterator[subprocess.Popen[str]]:
    store.add(Improvement("i", FINDING), "test")
    other = subprocess.Popen([sys.executable, "-c", HOLDER, str(store.file), str(seconds), *where],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout and other.stdout.readline() == "held\n"
    try:
        yield other
    finally:
        if other.poll() is None:
            other.send_signal(signal.SIGKILL)
        other.communicate()


def _next(other: subprocess.Popen[str]) -> None:
    assert other.stdin
    other.stdin.write("\n")
    other.stdin.flush()


def test_locked_names_the_holder_and_what_it_does(store: Store) -> None:
    with another_holder(store) as other, pytest.raises(Locked) as caught, held(store, "deploy", "mine"):
        pass
    assert f"deploy is locked by process {other.pid} for " in str(caught.value)
    assert "putting r-1 live" in str(caught.value) and caught.value.exit_code == 6


def test_a_holder_is_seen_from_outside(store: Store) -> None:
    before = time.time()
    with another_holder(store) as other:
        seen = holder(store, "deploy")
        assert seen and (seen.process.pid, seen.message, seen.token) == (other.pid, "putting r-1 live", 1)
        assert before - 1 < seen.since < time.time() + 1
        assert holder(store, "another lease") is None
        assert other.communicate("\n")[0] == "saved\n"
    assert holder(store, "deploy") is None


def test_a_lease_is_free_at_once_when_its_holder_is_dead(store: Store) -> None:
    with another_holder(store, 60.0) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        began = time.monotonic()
        with held(store, "deploy", "mine") as token:
            assert token == 2 and time.monotonic() - began < 1


def test_a_zombie_holds_nothing(store: Store) -> None:
    with another_holder(store, 60.0) as other:
        other.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 10
        while holder(store, "deploy") is not None:
            assert time.monotonic() < deadline
        other.wait(10)


def test_a_sleeper_that_wakes_up_writes_nothing(store: Store) -> None:
    with another_holder(store, 1.0) as other:
        other.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        while holder(store, "deploy") is not None:
            assert time.monotonic() - began < 10
        with held(store, "deploy", "mine"):
            assert other.wait(5) == -signal.SIGKILL  # it does not even wake up
            assert store.improvement("i").status is Status.PROPOSED
            mine = holder(store, "deploy")
            assert mine is not None and mine.message == "mine"


def test_a_sleeper_in_a_transaction_keeps_nobody_out(store: Store) -> None:
    with another_holder(store, 1.0, "transaction") as other:
        _next(other)
        until = time.monotonic() + 10
        while holder(store, "deploy") is not None:
            assert time.monotonic() < until
        with held(store, "deploy", "mine"):
            store.set_fact("n", 1)
        assert other.wait(5) == -signal.SIGKILL


@pytest.mark.parametrize("again", [lambda store: held(store, "deploy", "mine").__enter__(),
                                   lambda store: end_stopped_writers(store.file)], ids=["a lease", "any command"])
def test_a_sleeper_in_a_transaction_without_a_lease(store: Store, again: Callable[[Store], object]) -> None:
    """It is on record nowhere but with the system, which knows who holds a lock."""
    code = ("import signal, sys\nfrom pathlib import Path\nfrom aiimprove.store import Store\n"
            "with Store(Path(sys.argv[1])).transaction():\n    signal.raise_signal(signal.SIGSTOP)\n")
    other = subprocess.Popen([sys.executable, "-c", code, str(store.file)])
    sleeper = Identity.of(other.pid)
    until = time.monotonic() + 10
    while sleeper and not sleeper.stopped():
        assert time.monotonic() < until
    began = time.monotonic()
    again(store)
    store.set_fact("n", 1)
    assert other.wait(5) == -signal.SIGKILL and time.monotonic() - began < 5


def test_who_gave_its_lease_back_is_left_alone(store: Store) -> None:
    with another_holder(store, 1.0, "rest") as other:
        _next(other)
        assert other.stdout and other.stdout.readline() == "saved\n"
        while holder(store, "deploy") is not None:
            assert other.poll() is None
        with held(store, "deploy", "mine"):
            pass
        assert other.poll() is None


def test_a_sleeper_of_another_user_writes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it may not be ended, its token is too low."""
    def refused(*_: object) -> bool:
        raise PermissionError

    with another_holder(store, 1.0) as other:
        other.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        while holder(store, "deploy") is not None:
            assert time.monotonic() - began < 10
        monkeypatch.setattr(lock.Identity, "signal", refused)
        with held(store, "deploy", "mine"):
            other.send_signal(signal.SIGCONT)
            assert other.communicate("\n", timeout=20)[0] == "stale\n"
            assert store.improvement("i").status is Status.PROPOSED


def test_a_sleeper_does_not_free_the_lease_of_the_next(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "LEASE_SECONDS", 1.0)
    with another_holder(store, 1.0) as other:
        other.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        while holder(store, "deploy") is not None:
            assert time.monotonic() - began < 10
        with held(store, "deploy", "mine"):
            other.send_signal(signal.SIGCONT)
            other.communicate("\n", timeout=20)
            seen = holder(store, "deploy")
            assert seen is not None and seen.token == 2


def test_a_lease_is_renewed_while_its_holder_works(store: Store) -> None:
    with another_holder(store, 1.0) as other:
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            assert holder(store, "deploy") is not None
        assert other.communicate("\n")[0] == "saved\n"


def test_a_lease_is_free_after_a_failure(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), held(store, "deploy", "mine"):
        raise ZeroDivisionError
    assert holder(store, "deploy") is None and store.fences == []


def test_tokens_rise(store: Store) -> None:
    tokens = []
    for _ in range(3):
        with held(store, "deploy", "mine") as token:
            tokens.append(token)
    assert tokens == [1, 2, 3]


def test_leases_of_other_names_do_not_matter(store: Store) -> None:
    with held(store, "deploy", "a"), held(store, "improvement i", "b"):
        store.add(Improvement("i", FINDING), "test")
    assert store.improvement("i").version == 1


def test_a_taken_lease_fences_every_write(store: Store) -> None:
    with pytest.raises(Stale), held(store, "deploy", "mine"):
        store.connection.execute("UPDATE leases SET token = 9 WHERE name = 'deploy'")
        store.add(Improvement("i", FINDING), "test")
    assert store.improvements() == []


def test_processes_that_want_it_at_once(store: Store) -> None:
    code = """
import sys
from pathlib import Path
from aiimprove.errors import Locked
from aiimprove.lock import held
from aiimprove.store import Store
store = Store(Path(sys.argv[1]))
for _ in range(40):
    try:
        with held(store, "count", "counting"):
            store.set_fact("n", (store.fact("n") or 0) + 1)
            print("one")
    except Locked:
        pass
"""
    starts = [subprocess.Popen([sys.executable, "-c", code, str(store.file)], stdout=subprocess.PIPE, text=True)
              for _ in range(3)]
    counted = sum(start.communicate(timeout=60)[0].count("one") for start in starts)
    assert store.fact("n") == counted > 0
