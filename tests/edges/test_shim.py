"""One program that stays alive, whoever else is killed. Every process here is real."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from traffic_waiting import until

from aiimprove import process
from aiimprove.errors import ReleaseFailed
from aiimprove.process import Identity
from aiimprove.shim.kept import Kept, Spec

ROOT = Path(__file__).parents[2]
ENV = {"PATH": os.environ["PATH"]}
ACCEPTING = """
import os, socket, sys
own = socket.socket(fileno=3)
print("accepting", flush=True)
while True:
    connection, _ = own.accept()
    connection.recv(4096)
    body = str(os.getpid()).encode()
    connection.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
    connection.close()
"""


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tmp_path / "kept")
    yield kept
    kept.stop()
    assert kept.state().shim is None and kept.state().program is None


def _spec(tmp_path: Path, *argv: str, **more: object) -> Spec:
    return Spec(argv=argv, env=ENV, cwd=tmp_path, log=tmp_path / "program.log", **more)  # type: ignore[arg-type]


def _program(kept: Kept) -> Identity:
    program = kept.state().program
    assert program is not None
    return program


def _shim(kept: Kept) -> Identity:
    shim = kept.state().shim
    assert shim is not None
    return shim


def _other_than(kept: Kept, old: Identity) -> bool:
    return kept.state().program not in (None, old)


def test_the_program_runs_when_start_returns(kept: Kept, tmp_path: Path) -> None:
    kept.start(_spec(tmp_path, "sh", "-c", "echo $0 $ONLY; exec sleep 60"))
    assert os.getsid(_program(kept).pid) == _program(kept).pid
    assert os.getsid(_shim(kept).pid) == _shim(kept).pid
    until(lambda: (tmp_path / "program.log").read_text() == "sh\n")
    assert oct(os.stat(kept.home / "spec.json").st_mode & 0o777) == "0o600"


def test_a_killed_program_is_back_at_once(kept: Kept, tmp_path: Path) -> None:
    kept.start(_spec(tmp_path, "sleep", "60"))
    first = _program(kept)
    first.signal(signal.SIGKILL)
    assert until(lambda: _other_than(kept, first)) < 1.0
    until(lambda: kept.state().restarts == 1)
    assert kept.state().last_exit == -signal.SIGKILL


def test_a_program_that_keeps_dying_is_started_less_and_less_often(kept: Kept, tmp_path: Path) -> None:
    kept.start(_spec(tmp_path, "sh", "-c", "echo again; exit 3", longest_pause=0.8))
    until(lambda: kept.state().restarts >= 4)
    began = time.monotonic()
    until(lambda: kept.state().restarts >= 6)
    assert time.monotonic() - began > 0.9
    assert kept.state().last_exit == 3


def test_after_a_healthy_while_a_death_is_forgiven(kept: Kept, tmp_path: Path) -> None:
    kept.start(_spec(tmp_path, "sleep", "0.3", healthy_seconds=0.2, longest_pause=60.0))
    assert until(lambda: kept.state().restarts >= 4) < 4


def test_a_missing_program_is_said_in_the_log(kept: Kept, tmp_path: Path) -> None:
    kept.start(_spec(tmp_path, "/no/such/program"))
    until(lambda: "cannot start /no/such/program" in (tmp_path / "program.log").read_text())
    assert kept.state().shim is not None


def test_a_killed_shim_leaves_the_program_and_the_next_adopts_it(kept: Kept, tmp_path: Path) -> None:
    kept.start(_spec(tmp_path, "sleep", "60"))
    program, shim = _program(kept), _shim(kept)
    shim.signal(signal.SIGKILL)
    assert shim.wait(5) and kept.state().shim is None
    assert kept.revive() and not kept.revive()
    assert _program(kept) == program and _shim(kept) != shim
    program.signal(signal.SIGKILL)
    until(lambda: _other_than(kept, program))


def test_a_program_that_died_meanwhile_is_started_by_the_next_shim(kept: Kept, tmp_path: Path) -> None:
    kept.start(_spec(tmp_path, "sleep", "60"))
    program, shim = _program(kept), _shim(kept)
    shim.signal(signal.SIGKILL)
    shim.wait(5)
    process.stop(program, 1)
    assert kept.revive() and _program(kept) != program


def test_killing_the_starter_with_its_group_disturbs_nobody(kept: Kept, tmp_path: Path) -> None:
    script = ("import sys, time; from pathlib import Path; from aiimprove.shim.kept import Kept, Spec;"
              "there = Path(sys.argv[1]); Kept(there / 'kept').start("
              "Spec(('sleep', '60'), {'PATH': '/usr/bin:/bin'}, there, there / 'program.log'));"
              "print('started', flush=True); time.sleep(60)")
    starter = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE,
                               cwd=ROOT, start_new_session=True)
    assert starter.stdout is not None and starter.stdout.readline() == b"started\n"
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait()
    starter.stdout.close()
    assert _program(kept).alive() and _shim(kept).alive()


def test_only_one_shim_keeps_a_program(kept: Kept, tmp_path: Path) -> None:
    spec = _spec(tmp_path, "sleep", "60")
    kept.start(spec)
    program = _program(kept)
    with pytest.raises(ReleaseFailed):
        Kept(kept.home).start(spec)
    assert _program(kept) == program


def test_stop_waits_for_the_program_and_then_kills(kept: Kept, tmp_path: Path) -> None:
    kept.start(_spec(tmp_path, "sh", "-c", "trap '' TERM; echo on; while :; do sleep 1; done", stop_seconds=0.4))
    until(lambda: (tmp_path / "program.log").read_text())
    program = _program(kept)
    began = time.monotonic()
    kept.stop()
    assert not program.alive() and 0.3 < time.monotonic() - began < 4
    assert not kept.revive(), "what was stopped on purpose stays stopped"


def test_what_a_dead_program_left_behind_is_ended(kept: Kept, tmp_path: Path) -> None:
    kept.start(_spec(tmp_path, "bash", "-c", "set -m; sleep 61 & echo $!; wait", longest_pause=60.0))
    until(lambda: (tmp_path / "program.log").read_text().endswith("\n"))
    orphan = Identity.of(int((tmp_path / "program.log").read_text().split()[0]))
    assert orphan is not None
    _program(kept).signal(signal.SIGKILL)
    until(lambda: not orphan.alive())


def test_what_a_dead_program_had_kept_by_other_shims_stays(kept: Kept, tmp_path: Path) -> None:
    script = ("import sys, time; from pathlib import Path; from aiimprove.shim.kept import Kept, Spec;"
              "there = Path(sys.argv[1]); inner = Kept(there / 'inner');"
              "inner.state().shim or inner.start("
              "Spec(('sleep', '60'), {'PATH': '/usr/bin:/bin'}, there, there / 'inner.log')); time.sleep(60)")
    spec = _spec(tmp_path, sys.executable, "-c", script, str(tmp_path), healthy_seconds=0.0)
    kept.start(replace(spec, env=ENV | {"PYTHONPATH": str(ROOT)}))
    inner = Kept(tmp_path / "inner")
    until(lambda: inner.state().program and inner.state().shim)
    program, shim = _program(inner), _shim(inner)
    try:
        for _ in range(3):
            starter = _program(kept)
            assert starter.signal(signal.SIGKILL) and starter.wait(5)
            until(lambda starter=starter: _other_than(kept, starter))  # type: ignore[misc]
        assert program.alive() and shim.alive()
        shim.signal(signal.SIGKILL)
        shim.wait(5)
        _program(kept).signal(signal.SIGKILL)
        until(lambda: inner.state().shim)
        assert program.alive() and _program(inner) == program, "adopted, although both shims around it had died"
        kept.stop()
        assert program.alive() and inner.state().shim
    finally:
        inner.stop()


def test_a_shim_is_small(kept: Kept, tmp_path: Path) -> None:
    kept.start(_spec(tmp_path, "sleep", "60"))
    status = Path(f"/proc/{_shim(kept).pid}/smaps_rollup").read_text()
    assert int(status.split("Rss:")[1].split()[0]) < 14_000


def _ask(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        return int(answer.read())


def _accepting(tmp_path: Path, *ports: int) -> Spec:
    addresses = tuple(("127.0.0.1", port) for port in ports)
    return _spec(tmp_path, sys.executable, "-c", ACCEPTING, listen=addresses, healthy_seconds=0.0)


def test_connections_wait_while_the_program_is_dead(kept: Kept, tmp_path: Path) -> None:
    port = process.free_ports(1)[0]
    kept.start(_accepting(tmp_path, port))
    for _ in range(5):
        program = _program(kept)
        assert _ask(port) == program.pid
        assert program.signal(signal.SIGKILL) and program.wait(5)
        assert _ask(port) != program.pid


def test_a_new_shim_takes_the_sockets_over(kept: Kept, tmp_path: Path) -> None:
    port = process.free_ports(1)[0]
    kept.start(_accepting(tmp_path, port))
    program, shim = _program(kept), _shim(kept)
    shim.signal(signal.SIGKILL)
    shim.wait(5)
    assert _ask(port) == program.pid
    kept.revive()
    assert program.signal(signal.SIGKILL) and program.wait(5)
    assert _ask(port) != program.pid
    assert _ask(port) == _program(kept).pid != program.pid


def test_a_taken_address_is_named_and_nothing_is_started(kept: Kept, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(ReleaseFailed, match=f"127.0.0.1:{port}: Address already in use"):
            kept.start(_accepting(tmp_path, port))
    assert kept.state().shim is None and kept.state().program is None


def test_a_restart_keeps_the_sockets_that_stay(kept: Kept, tmp_path: Path) -> None:
    stays, goes, comes = process.free_ports(3)
    kept.start(_accepting(tmp_path, stays, goes))
    first, shim = _program(kept), _shim(kept)
    kept.restart(_accepting(tmp_path, stays, comes))
    until(lambda: _other_than(kept, first))
    assert _ask(stays) == _program(kept).pid and _shim(kept) == shim
    assert process.port_holder(comes) and not process.port_holder(goes)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_whoever_is_ended_while_starting_leaves_nothing_that_cannot_be_found(tmp_path: Path, number: int) -> None:
    """At every moment of a start: the program is on record, or it is not there."""
    starting = ("import signal, sys\nfrom pathlib import Path\nfrom aiimprove.shim.kept import Kept, Spec\n"
                "def end(*_): raise KeyboardInterrupt\n"
                "signal.signal(signal.SIGTERM, end)\nfolder = Path(sys.argv[1])\n"
                "print(flush=True)\n"
                "Kept(folder / 'kept').start(Spec((sys.executable, '-c', 'import time; time.sleep(60)', str(folder)),"
                " {}, folder, folder / 'log'))\nsignal.pause()\n")
    for turn in range(12):
        folder = tmp_path / str(turn)
        folder.mkdir()
        with subprocess.Popen([sys.executable, "-c", starting, str(folder)], cwd=ROOT, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as starter:
            assert starter.stdout is not None
            starter.stdout.readline()
            time.sleep(turn * 0.02)
            starter.send_signal(number)
        Kept(folder / "kept").stop()
        assert process.until_gone(f"{folder}", 5.0) == [], f"turn {turn}"
