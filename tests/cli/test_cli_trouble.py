"""When the machine says no, or somebody else is at it: a sentence, an exit code, and nothing lost."""

from __future__ import annotations

import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from tiny import Tiny

from aiimprove.event import Event
from aiimprove.improvement import Status
from aiimprove.lock import holder
from aiimprove.process import port_holder


@pytest.fixture
def tiny(built: Tiny, tmp_path: Path) -> Tiny:
    """With its commit noted as live; nothing runs."""
    return built.copy(tmp_path)


NO_CODE_FILES = {"PYTHONDONTWRITEBYTECODE": "1"}
"""Python 3.11 leaves half a code file behind on a full disk, for everybody who comes after."""


def limit_files(most: int) -> object:
    """As if the disk were full for every file that grows beyond so many bytes."""
    def prepare() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    return prepare


def test_a_full_disk_loses_nothing(tiny: Tiny) -> None:
    asked = tiny.plant(Status.AWAITING_APPROVAL)
    token = tiny.operator()
    words = ("approve", "index", "--digest", asked.digest, "--token-stdin", "--json")
    with closing(tiny.store()) as store:
        head = store.head()
        said = tiny.call(*words, stdin=token, env=NO_CODE_FILES,
                          preexec_fn=limit_files(4096))
        assert said.exit_code == 1 and said.error["code"] == "machine" and "repeat the command" in said.error["message"]
        assert "Traceback" not in said.errors
        assert store.improvement("index") == asked and store.head() == head and store.broken_at() is None
    assert tiny.call(*words, stdin=token).data["improvement"]["status"] == "APPROVED"


def test_a_full_disk_while_something_is_written(tiny: Tiny) -> None:
    tiny.plant(Status.PROPOSED)
    said = tiny.call("generate", "--json", env=NO_CODE_FILES, preexec_fn=limit_files(64))
    assert said.exit_code == 1 and "Traceback" not in said.errors
    with closing(tiny.store()) as store:
        assert store.improvement("index").status is Status.PROPOSED and store.broken_at() is None
    assert tiny.call("generate", "--json").data["improvement"]["status"] == "GENERATED"


def test_a_full_disk_for_a_new_state(tiny: Tiny) -> None:
    env = {"AIIMPROVE_STATE": str(tiny.root / "new")}
    said = tiny.call("audit", "--json", env=env | NO_CODE_FILES, preexec_fn=limit_files(2048))
    assert said.exit_code == 1 and said.error["code"] in ("machine", "store_damaged")
    assert tiny.call("audit", "--json", env=env).data["events"] == []


@pytest.mark.parametrize("sql", ["UPDATE events SET performer = 'eve' WHERE seq = 2",
                                 "DELETE FROM events WHERE seq = 2",
                                 "UPDATE events SET body = 'no json' WHERE seq = 2"])
def test_a_broken_trail_is_told(tiny: Tiny, sql: str) -> None:
    with closing(tiny.store()) as store:
        for number in range(4):
            store.append(Event("a.happened", f"s{number}", "anna", {"message": f"m{number}"}))
        whole = tiny.call("audit", "--verify", "--json").data
        assert whole["verified"] is True and whole["broken_at"] is None and whole["head"] == store.head()
        store.connection.executescript(f"DROP TRIGGER events_are_fixed; DROP TRIGGER events_are_kept; {sql}")
    said = tiny.call("audit", "--verify", "--json")
    assert said.exit_code == 4 and said.error["code"] == "verification_failed"
    found = said.envelope["data"]
    assert found["verified"] is False and found["broken_at"] in (2, 3) and found["events"]
    assert f"event {found['broken_at']} was changed" in said.error["message"]
    assert tiny.call("audit", "--json").exit_code == 0


def wait_for(tiny: Tiny, lease: str) -> None:
    deadline = time.monotonic() + 30
    with closing(tiny.store()) as store:
        while holder(store, lease) is None:
            assert time.monotonic() < deadline


def test_two_loops(tiny: Tiny) -> None:
    with closing(tiny.store()) as store:
        store.connection.execute("DELETE FROM facts")
    first = tiny.start("run")
    try:
        wait_for(tiny, "run")
        for words in (("run", "--json"), ("run", "--once", "--json")):
            said = tiny.call(*words)
            assert said.exit_code == 6 and said.error["code"] == "locked"
            assert f"run is locked by process {first.pid} for " in said.error["message"]
        assert first.poll() is None
    finally:
        first.send_signal(signal.SIGTERM)
        assert first.communicate(timeout=60)[1].count("Traceback") == 0
    assert first.returncode == 0 and tiny.call("run", "--once", "--json").exit_code == 0


def test_ctrl_c_ends_a_loop(tiny: Tiny) -> None:
    with closing(tiny.store()) as store:
        store.connection.execute("DELETE FROM facts")
    loop = tiny.start("run", "--json")
    wait_for(tiny, "run")
    loop.send_signal(signal.SIGINT)
    _, errors = loop.communicate(timeout=60)
    assert loop.returncode in (0, 130) and "Traceback" not in errors


def test_ctrl_c_in_the_middle_of_a_proof(tiny: Tiny) -> None:
    tiny.plant(Status.PROPOSED)
    made = tiny.call("generate", "--json").data["improvement"]
    proof = tiny.start("test", "--json")
    wait_for(tiny, "improvement index")
    proof.send_signal(signal.SIGINT)
    output, errors = proof.communicate(timeout=60)
    assert proof.returncode == 130 and '"interrupted"' in output and "Traceback" not in errors
    with closing(tiny.store()) as store:
        found = store.improvement("index")
        assert (found.status, found.commit) == (Status.GENERATED, made["commit"])
        assert holder(store, "improvement index") is None
    assert running_from(tiny) == []


def running_from(tiny: Tiny) -> list[str]:
    """The command lines of all processes that have to do with this app."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").replace("\0", " ")
            except OSError:
                continue
            if str(tiny.root) in words:
                found.append(words)
    return found


@pytest.mark.parametrize("which", ["live_port", "dev_port"])
def test_a_port_that_is_taken(tiny: Tiny, which: str) -> None:
    port = getattr(tiny, which)
    with socket.create_server(("127.0.0.1", port)):
        name = Path("/proc/self/comm").read_text().strip()
        assert port_holder(port) == (name, _pid())
        said = tiny.call("up", "--json")
    assert said.exit_code == 3 and said.error["code"] == "refused"
    assert f"port {port} (services.app) is taken by {name} (pid {_pid()})" in said.error["message"]
    assert "Nothing was started" in said.error["message"] and running_from(tiny) == []


def _pid() -> int:
    return int(Path("/proc/self").readlink().name)


def test_a_first_release_that_never_gets_healthy(tmp_path: Path) -> None:
    tiny = Tiny(tmp_path)
    tiny.edit("config.toml", "start_seconds = 20", "start_seconds = 2")
    tiny.edit("app/app.py", '"/health"', '"/healthy"')
    tiny.commit({})
    said = tiny.call("up", "--json")
    assert (said.exit_code, said.error["code"]) == (5, "not_healthy") and "answered 404" in said.error["message"]
    assert tiny.call("down", "--json").exit_code == 0 and running_from(tiny) == []


def test_a_first_release_that_does_not_start(tmp_path: Path) -> None:
    tiny = Tiny(tmp_path)
    tiny.edit("app/app.py", "import json\n", "import json\nimport does_not_exist\n")
    tiny.commit({})
    said = tiny.call("up", "--json")
    assert said.exit_code == 5 and "No module named 'does_not_exist'" in said.error["message"]
    assert tiny.call("down", "--json").exit_code == 0 and running_from(tiny) == []


def test_a_first_release_that_does_not_build(tmp_path: Path) -> None:
    tiny = Tiny(tmp_path)
    build = 'build = ["sh", "-c", "echo it is broken >&2; exit 7"]'
    tiny.edit("config.toml", 'folder = "app"\n', f'folder = "app"\n{build}\n')
    tiny.commit({})
    said = tiny.call("up", "--json")
    assert (said.exit_code, said.error["code"]) == (5, "build_failed") and "it is broken" in said.error["message"]
    assert tiny.call("down", "--json").exit_code == 0 and running_from(tiny) == []


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    tiny = Tiny(tmp_path)
    tiny.edit("config.toml", 'folder = "app"\n', 'folder = "app"\nruntime = "node"\n')
    said = tiny.call("up", "--json", env={"PATH": _path_without("node", tiny.root)})
    assert said.exit_code == 2 and "services.app needs node, which is not installed" in said.error["message"]


def _path_without(missing: str, root: Path) -> str:
    """A PATH with git and the system's own tools, but for one of them."""
    folder = root / "bin"
    folder.mkdir()
    for name in ("git", "env", "python3", "sh"):
        found = shutil.which(name)
        assert found and name != missing
        (folder / name).symlink_to(found)
    return str(folder)


def test_down_when_nothing_runs(tiny: Tiny) -> None:
    for _ in range(2):
        assert tiny.call("down", "--json").data == {"stopped": []}


def test_another_user_of_the_database_is_waited_for(tiny: Tiny) -> None:
    asked = tiny.plant(Status.AWAITING_APPROVAL)
    token = tiny.operator()
    code = ("import sqlite3, sys\nconnection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "connection.execute('BEGIN IMMEDIATE')\nprint('busy', flush=True)\nsys.stdin.readline()\n"
            "connection.execute('ROLLBACK')\n")
    other = subprocess.Popen([sys.executable, "-c", code, str(tiny.state / "state.db")], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    assert other.stdout and other.stdout.readline() == "busy\n"
    call = tiny.start("approve", "index", "--digest", asked.digest, "--token-stdin", "--json")
    assert call.stdin
    call.stdin.write(token)
    call.stdin.close()
    with pytest.raises(subprocess.TimeoutExpired):
        call.wait(2)
    other.communicate("\n")
    assert call.wait(30) == 0
    assert call.stdout and call.stderr
    call.stdout.close()
    call.stderr.close()
