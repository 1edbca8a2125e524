"""Real processes, real ports: nothing is done to a stranger, nothing is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from aiimprove import process
from aiimprove.process import Identity

ENV = {"PATH": os.environ["PATH"]}


def _ends(pid: int) -> bool:
    identity = Identity.of(pid)
    return identity is None or identity.wait(2)


def test_run_returns_both_streams_and_feeds_stdin(tmp_path: Path) -> None:
    done = process.run(["sh", "-c", "cat; echo bad >&2; exit 3"], cwd=tmp_path, env=ENV, deadline=10, stdin=b"hello")
    assert (done.exit_code, done.output, done.errors, done.timed_out) == (3, "hello", "bad\n", False)


def test_run_kills_the_whole_group_at_the_deadline(tmp_path: Path) -> None:
    done = process.run(["sh", "-c", "sleep 60 & echo $!; sleep 60"], cwd=tmp_path, env=ENV, deadline=0.3)
    assert done.timed_out and done.seconds < 5 and done.exit_code == -signal.SIGKILL
    assert _ends(int(done.output))


def test_run_leaves_no_child_of_a_program_that_ended(tmp_path: Path) -> None:
    done = process.run(["sh", "-c", "sleep 60 & echo $!"], cwd=tmp_path, env=ENV, deadline=30)
    assert done.exit_code == 0 and done.seconds < 5 and _ends(int(done.output))


def test_run_keeps_only_the_end_of_much_output(tmp_path: Path) -> None:
    done = process.run([sys.executable, "-c", "print('x' * 5_000_000 + 'end')"], cwd=tmp_path, env=ENV, deadline=30)
    assert done.output.endswith("end\n") and len(done.output) <= 256 * 1024


def test_run_with_a_log_appends_both_streams(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "one.log"
    for _ in range(2):
        process.run(["sh", "-c", "echo out; echo err >&2"], cwd=tmp_path, env=ENV, deadline=10, log=log)
    assert log.read_text() == "out\nerr\n" * 2


def test_run_does_not_wait_for_input_that_nobody_reads(tmp_path: Path) -> None:
    done = process.run(["true"], cwd=tmp_path, env=ENV, deadline=10, stdin=b"x" * 1_000_000)
    assert done.exit_code == 0


def test_run_is_nice_when_asked(tmp_path: Path) -> None:
    done = process.run(["sh", "-c", "nice"], cwd=tmp_path, env=ENV, deadline=10, nice=19)
    assert done.output.strip() == "19"


def test_the_environment_is_exactly_what_was_given(tmp_path: Path) -> None:
    done = process.run(["/usr/bin/env"], cwd=tmp_path, env={"ONLY": "this"}, deadline=10)
    assert done.output == "ONLY=this\n"


def test_an_identity_is_not_a_pid() -> None:
    me = Identity.of(os.getpid())
    assert me is not None and me.alive()
    assert not replace(me, started=me.started + 1).alive()
    assert not replace(me, boot="another").alive()
    assert not replace(me, started=me.started + 1).signal(signal.SIGKILL)
    assert not replace(me, started=me.started + 1).signal_group(signal.SIGKILL)
    assert replace(me, started=me.started + 1).wait(0)


def test_stop_ends_the_group_even_when_it_ignores_the_first_signal(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "trap '' TERM; sleep 60 & echo $!; wait; wait; wait"
    child = process.start(["sh", "-c", script], cwd=tmp_path, env=ENV, log=log)
    identity = Identity.of(child.pid)
    assert identity is not None
    began = time.monotonic()
    while not log.read_text().strip():
        assert time.monotonic() - began < 5
        identity.wait(0.01)
    grandchild = Identity.of(int(log.read_text()))
    process.stop(identity, 0.3)
    assert not identity.alive() and grandchild is not None and grandchild.wait(2)
    assert time.monotonic() - began < 5
    child.wait()


def test_a_started_program_has_its_own_session(tmp_path: Path) -> None:
    child = process.start(["sleep", "60"], cwd=tmp_path, env=ENV, log=tmp_path / "log")
    identity = Identity.of(child.pid)
    assert identity is not None and os.getsid(child.pid) == child.pid
    process.stop(identity, 5)
    assert child.wait() == -signal.SIGTERM


def test_a_program_can_die_with_its_parent(tmp_path: Path) -> None:
    script = ("import sys; from pathlib import Path; from aiimprove import process;"
              "child = process.start(['sleep', '60'], cwd=Path('/'), env={'PATH': '/usr/bin:/bin'},"
              " log=Path(sys.argv[1]), die_with_parent=True); print(child.pid, flush=True); child.poll()")
    root = str(Path(__file__).parents[2])
    done = process.run([sys.executable, "-c", script, str(tmp_path / "log")], cwd=Path(root),
                       env=ENV | {"PYTHONPATH": root}, deadline=20)
    assert done.exit_code == 0, done.errors
    orphan = Identity.of(int(done.output))
    assert orphan is None or orphan.wait(5)


@pytest.mark.parametrize("family, address", [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_the_holder_of_a_port_is_named(family: socket.AddressFamily, address: str) -> None:
    try:
        listener = socket.create_server((address, 0), family=family)
    except OSError:
        pytest.skip("no IPv6 here")
    with listener:
        port = listener.getsockname()[1]
        holder = process.port_holder(port)
        assert holder is not None and holder[1] == os.getpid() and holder[0]
    assert process.port_holder(port) is None


def test_established_counts_the_connections_of_a_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert process.established([port]) == 0
        with socket.create_connection(("127.0.0.1", port)), listener.accept()[0]:
            assert process.established([port]) == 1
            assert process.established([port + 1]) == 0


def test_free_ports_are_many_different_and_bindable() -> None:
    ports = process.free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()


def test_resources_cover_the_children(tmp_path: Path) -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'x = b\"y\" * 60_000_000; input()'])"
    child = process.start([sys.executable, "-c", f"import os; r, w = os.pipe(); os.dup2(r, 0)\n{script}"],
                          cwd=tmp_path, env=ENV, log=tmp_path / "log")
    identity = Identity.of(child.pid)
    assert identity is not None
    deadline = time.monotonic() + 10
    while process.resources(identity).rss_bytes < 60_000_000:
        assert time.monotonic() < deadline and not identity.wait(0.05)
    assert process.resources(identity).cpu_seconds > 0
    process.stop(identity, 1)
    assert process.resources(identity).rss_bytes == 0
    child.wait()


def test_a_meter_reads_threads_that_ended_and_children_that_ended(tmp_path: Path) -> None:
    work = "sum(range(4_000_000))"
    script = (f"import subprocess, sys, threading; one = threading.Thread(target=lambda: {work}); one.start(); "
              f"one.join(); print('thread', flush=True); sys.stdin.readline(); "
              f"subprocess.run([sys.executable, '-S', '-c', '{work}']); print('child', flush=True); "
              "sys.stdin.readline()")
    child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin and child.stdout and child.stdout.readline() == "thread\n"
    identity = Identity.of(child.pid)
    assert identity is not None
    meter = process.Meter.of(identity)
    first, again = meter.seconds(), meter.seconds()
    assert 0.02 < first == again < 5, "to the nanosecond, and it sleeps"
    assert 4_000_000 < meter.bytes() <= process.resources(identity).rss_bytes
    child.stdin.write("\n")
    child.stdin.flush()
    assert child.stdout.readline() == "child\n"
    assert meter.seconds() > first + 0.02
    child.communicate("\n")
    assert meter.seconds() == 0.0 and meter.bytes() == 0
