"""What systemd is told: by a real `run`, and by lanes that hang."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from tiny import Tiny

from aiimprove import loop
from aiimprove.due import UPGRADE
from aiimprove.lock import held
from aiimprove.notify import Notifier
from aiimprove.process import Identity
from aiimprove.store import Store
from aiimprove.workspace import Workspace


class Manager:
    """The socket of a service manager, and what came."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.address, self.heard = address, list[tuple[float, str]]()

    def listen(self, seconds: float, until: str = "") -> list[str]:
        """What comes within these seconds, at most up to a message that begins with `until`."""
        deadline, came = time.monotonic() + seconds, list[str]()
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                came.append(self.socket.recv(4096).decode())
            except TimeoutError:
                break
            self.heard.append((time.monotonic(), came[-1]))
            if until and came[-1].startswith(until):
                break
        return came


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    found = Manager(str(tmp_path / "notify"))
    yield found
    found.socket.close()


def test_nobody_listens() -> None:
    assert not Notifier().ready()
    assert not Notifier("/nowhere/at/all").alive()


def test_the_watchdog_of_another_process_is_none_of_ours() -> None:
    said = {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "2000000"}
    assert Notifier.of(said).watchdog_seconds == 2
    assert Notifier.of(said | {"WATCHDOG_PID": str(os.getpid())}).watchdog_seconds == 2
    assert Notifier.of(said | {"WATCHDOG_PID": str(os.getppid())}) == Notifier("@x", 0)
    assert Notifier.of({}) == Notifier("", 0)


def test_a_line_is_one_line(manager: Manager) -> None:
    assert Notifier(manager.address).status("two\nlines")
    assert manager.listen(1, "STATUS") == ["STATUS=two lines"]


def test_an_abstract_address() -> None:
    manager = Manager(f"@aiimprove-{os.getpid()}")
    assert Notifier(manager.address).ready() and manager.listen(1, "READY") == ["READY=1"]
    manager.socket.close()


def test_a_run_tells_its_life(manager: Manager, tiny: Tiny) -> None:
    run = tiny.start("run", env={"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1600000"})
    try:
        assert "READY=1" in manager.listen(30, "READY=1")
        said = manager.listen(4)
        beats = [at for at, message in manager.heard if message == "WATCHDOG=1"]
        assert len(beats) >= 3 and max(b - a for a, b in pairwise(beats)) < 1.6
        assert any(each.startswith("STATUS=") and "live: " in each for each in said)
        run.send_signal(signal.SIGTERM)
        assert "STOPPING=1" in manager.listen(30, "STOPPING=1")
        assert run.wait(30) == 0
    finally:
        run.kill()
        run.communicate()


def test_a_hung_lane_is_not_alive(manager: Manager, tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    hung, over = threading.Event(), threading.Event()

    def hang(workspace: Workspace, name: str) -> str:
        hung.set()
        over.wait(30)
        return ""

    monkeypatch.setattr(loop, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(loop, "timed", hang)
    workspace = tiny.workspace()
    object.__setattr__(workspace.config.health, "timeout_seconds", 0.05)
    lanes = loop.Lanes(workspace, Notifier(manager.address, 0.4))
    running = threading.Thread(target=lanes.run)
    running.start()
    try:
        assert hung.wait(10)
        manager.listen(1.5)
        assert "WATCHDOG=1" not in manager.listen(1.5)
        over.set()
        assert "WATCHDOG=1" in manager.listen(10, "WATCHDOG=1")
    finally:
        over.set()
        lanes.stop()
        running.join(30)


def test_a_run_begins_anew_in_the_same_process(manager: Manager, tiny: Tiny) -> None:
    run = tiny.start("run", env={"NOTIFY_SOCKET": manager.address})
    try:
        manager.listen(30, "READY=1")
        run.send_signal(signal.SIGUSR2)
        said = manager.listen(30, "READY=1")
        assert said[-1] == "READY=1" and any(each.startswith("RELOADING=1\nMONOTONIC_USEC=") for each in said)
        run.send_signal(signal.SIGTERM)
        assert run.wait(30) == 0
    finally:
        run.kill()
        run.communicate()


def test_a_step_that_takes_too_long_is_ended(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that hangs must not hold up its lane for good."""
    monkeypatch.setattr(loop, "_BETWEEN_BEATS", 0.1)
    lanes = loop.Lanes(tiny.workspace())
    lanes._longest = 0.5
    step = subprocess.Popen(["sleep", "60"], start_new_session=True)
    identity = Identity.of(step.pid)
    assert identity
    began = time.monotonic()
    lanes._wait("work", "test", identity)
    assert step.wait(5) == -signal.SIGTERM and time.monotonic() - began >= 0.5


def test_a_run_waits_while_another_version_is_put_in_place(tiny: Tiny, manager: Manager) -> None:
    with closing(tiny.store()) as store, held(store, UPGRADE, "test"):
        run = tiny.start("run", env={"NOTIFY_SOCKET": manager.address})
        try:
            manager.listen(30, "READY=1")
            manager.listen(1.5)
            assert looks(store) == 0
            run.send_signal(signal.SIGKILL)
        finally:
            run.kill()
            run.communicate()
    run = tiny.start("run", env={"NOTIFY_SOCKET": manager.address})
    try:
        manager.listen(30, "READY=1")
        with closing(tiny.store()) as store:
            deadline = time.monotonic() + 20
            while looks(store) == 0 and time.monotonic() < deadline:
                time.sleep(0.05)
            assert looks(store) == 1, "without that it looks at once"
    finally:
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=30)


def looks(store: Store) -> int:
    return int(store.connection.execute("SELECT COUNT(*) FROM health").fetchone()[0])
