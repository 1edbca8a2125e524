"""Logs begin anew at their limit, whoever writes them, and a service that prints without end does not fill the disk."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from aiimprove import journal, logs
from aiimprove.rotation import OLDER, cut
from aiimprove.settings import Config, Limits
from aiimprove.shim.kept import Kept, Spec

LIMIT = 1_000_000
PRINTER = """
import sys, time
row = b"x" * 999 + b"\\n"
for tick in range(60):
    for _ in range(500):
        sys.stdout.buffer.write(row)
    sys.stdout.buffer.flush()
    time.sleep(0.05)
time.sleep(600)
"""
"""10 MB a second, for three seconds or somewhat more."""


def until(question: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def test_the_shim_of_a_service_that_prints_without_end_keeps_its_log_small(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "app.log"
    kept = Kept(tmp_path / "home")
    kept.start(Spec((sys.executable, "-c", PRINTER), {"PATH": os.defpath}, tmp_path, log, log_bytes=LIMIT))
    largest, older = [0], log.with_name(log.name + OLDER)

    def printed_all() -> bool:
        largest[0] = max(largest[0], size(log) + size(older))
        return older.exists() and size(log) == 0

    try:
        until(printed_all, 40)  # no loop looks after it: the shim does
    finally:
        kept.stop()
    assert 0 < size(older) <= 2 * LIMIT and largest[0] < 30 * LIMIT


def test_a_log_goes_on_in_the_same_file_and_what_it_held_stays_once(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old\n" * 100)
        assert not cut(str(log), 400) and cut(str(log), 399)
        writer.write(b"new\n")
    assert log.read_bytes() == b"new\n" and log.with_name("a.log.1").read_bytes() == (b"old\n" * 100)[-399:]


def test_nothing_but_a_real_log_is_cut(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"x" * 100)
    (tmp_path / "link.log").symlink_to("target")
    os.mkfifo(tmp_path / "pipe.log")
    (tmp_path / "folder.log").mkdir()
    held = os.open(tmp_path / "pipe.log", os.O_RDWR)
    assert not any(cut(str(tmp_path / name), 1) for name in ("link.log", "pipe.log", "folder.log", "none.log"))
    os.close(held)
    assert size(tmp_path / "target") == 100


def test_on_a_full_disk_the_log_gives_its_room_back(tmp_path: Path) -> None:
    """Files of this process may not grow beyond 1 kB: as good as a full disk for the copy."""
    log = tmp_path / "a.log"
    log.write_bytes(b"x" * 5000)
    code = ("import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
            f"resource.setrlimit(resource.RLIMIT_FSIZE, (1000, {resource.RLIM_INFINITY})); "
            "from aiimprove.rotation import cut; sys.exit(not cut(sys.argv[1], 4000))")
    assert subprocess.run([sys.executable, "-P", "-c", code, str(log)]).returncode == 0
    assert size(log) == 0 and [path.name for path in tmp_path.iterdir()] == ["a.log"]


def test_of_many_that_cut_at_once_one_does_it(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"held\n" * 1000)
    done: list[bool] = []
    threads = [threading.Thread(target=lambda: done.append(cut(str(log), 100))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 1 and log.with_name("a.log.1").read_bytes() == b"held\n" * 20


def test_the_journal_stays_with_those_who_have_it_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that had its log moved away would write where nobody reads or cleans."""
    monkeypatch.setattr(journal, "LARGEST", 1000)
    log = tmp_path / journal.FILE
    with log.open("ab", buffering=0) as loop:
        loop.write(b"x" * 2000)
        journal._in_file(tmp_path).close()
        loop.write(b"still here\n")
    assert log.read_bytes() == b"still here\n"


class TestPrune:
    """Logs of what runs no more, and of builds."""

    @pytest.fixture
    def config(self, tmp_path: Path) -> Config:
        folder = tmp_path / "logs"
        folder.mkdir()
        return replace(Config(), logs_folder=folder, state_folder=tmp_path / "state",
                       limits=Limits(logs_mb=0.002, log_mb=0.001))

    def write(self, config: Config, name: str, age: int, count: int = 1000) -> Path:
        log = config.logs_folder / name
        log.write_bytes(b"x" * count)
        os.utime(log, (10_000 - age, 10_000 - age))
        return log

    def test_the_oldest_go_and_what_is_used_stays(self, config: Config) -> None:
        self.write(config, "live-blue-r1-app.log", 900)
        (config.logs_folder / "live_app.log").symlink_to("live-blue-r1-app.log")
        self.write(config, "live-blue-r1-app.log.1", 950)
        running = self.write(config, "dev-green-r2-app.log", 800)
        for age in range(4):
            self.write(config, f"live-green-r{age}-app.log", age)
        self.write(config, "build-app-1234.log", 700)
        self.write(config, "ai_system.log", 999)
        assert logs.prune(config, [running]) == [
            "live-green-r2-app.log", "live-green-r3-app.log", "build-app-1234.log"]
        assert logs.prune(config, [running]) == []
        assert (config.logs_folder / "live_app.log").read_bytes() and running.exists()

    def test_private_copies_and_builds_have_no_shim_and_are_cut_by_whoever_looks(self, config: Config) -> None:
        copy = config.state_folder / "work" / "i-1" / "proof" / "app.log"
        copy.parent.mkdir(parents=True)
        copy.write_bytes(b"x" * 3000)
        self.write(config, "build-app-1234.log", 0, 3000)
        self.write(config, "gateway.log", 0, 3000)
        assert sorted(logs.cut_all(config)) == ["app.log", "build-app-1234.log"]
        assert size(copy) == 0 and size(config.logs_folder / "gateway.log") == 3000
