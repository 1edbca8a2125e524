"""The box against real hostile programs. They only ever run inside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from aiimprove import landlock, process, sandbox
from aiimprove.launch import SYSTEM_PATH, Launch
from aiimprove.sandbox import Box, Network, boxed, find_box, hidden

BUBBLEWRAP = find_box()
LANDLOCK = Box("landlock", landlock.__file__)
needs_bubblewrap = pytest.mark.skipif(BUBBLEWRAP.name != "bubblewrap", reason="no bubblewrap here")
needs_landlock = pytest.mark.skipif(not landlock.version(), reason="no Landlock here")


class Lab:
    """A state folder with a secret, and a folder for the foreign program."""

    def __init__(self, root: Path) -> None:
        self.state, self.tree, self.data = root / "state", root / "state/work/1/tree", root / "state/work/1/data"
        for folder in (self.state, self.tree, self.data):
            folder.mkdir(parents=True, exist_ok=True)
        (self.state / "state.db").write_text("operators")
        (self.tree / "app.py").write_text("version = 1")

    def attack(self, box: Box, script: str, network: Network = "loopback", **extra: str) -> dict[str, str]:
        """Runs the body of `def attack():` in the box and returns what it returned, or how it failed."""
        program = ("import json, os, signal, socket, sys\ndef attack():\n" + textwrap.indent(script, "    ") +
                   "\ntry: print(json.dumps({'got': attack()}))\n"
                   "except OSError as error: print(json.dumps({'failed': type(error).__name__}))\n")
        launch = Launch("app", (sys.executable, "-I", "-c", program), {"PATH": SYSTEM_PATH, **extra}, self.tree, 0)
        argv, env = boxed(box, launch, writable=[self.data], readable=[self.tree, Path(sys.prefix)], network=network)
        done = process.run(argv, cwd=self.tree, env=env, deadline=20)
        assert done.exit_code == 0, done.errors
        found: dict[str, str] = json.loads(done.output)
        return found


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


@needs_bubblewrap
class TestBubblewrap:
    def test_its_own_tree_and_data(self, lab: Lab) -> None:
        assert lab.attack(BUBBLEWRAP, "return open('app.py').read()") == {"got": "version = 1"}
        assert lab.attack(BUBBLEWRAP, f"return open({str(lab.data / 'row')!r}, 'w').write('abc')") == {"got": 3}
        assert (lab.data / "row").read_text() == "abc"
        assert (lab.data / "row").stat().st_uid == os.getuid()

    def test_the_state_is_not_there(self, lab: Lab) -> None:
        assert lab.attack(BUBBLEWRAP, f"return open({str(lab.state / 'state.db')!r}).read()") == {
            "failed": "FileNotFoundError"}
        assert lab.attack(BUBBLEWRAP, f"return sorted(os.listdir({str(lab.state)!r}))") == {"got": ["work"]}

    def test_no_home_and_no_passwords(self, lab: Lab) -> None:
        home = os.path.expanduser("~")
        seen = lab.attack(BUBBLEWRAP, f"return os.listdir({home!r})").get("got", [])
        assert set(seen) <= {part for prefix in (sys.prefix, sys.base_prefix) for part in Path(prefix).parts}
        assert lab.attack(BUBBLEWRAP, "return open('/etc/shadow').read()") == {"failed": "FileNotFoundError"}

    def test_its_tree_cannot_be_written(self, lab: Lab) -> None:
        assert lab.attack(BUBBLEWRAP, "return open('app.py', 'w').write('x')") == {"failed": "OSError"}
        assert (lab.tree / "app.py").read_text() == "version = 1"

    @pytest.mark.parametrize("path", ["/usr/bin/planted", "/etc/planted", "/proc/sys/kernel/core_pattern"])
    def test_the_system_cannot_be_written(self, lab: Lab, path: str) -> None:
        assert "failed" in lab.attack(BUBBLEWRAP, f"return open({path!r}, 'w').write('|/bin/true')")

    def test_what_it_writes_elsewhere_is_gone_with_it(self, lab: Lab) -> None:
        assert lab.attack(BUBBLEWRAP, "return open('/tmp/aiimprove-planted', 'w').write('x')") == {"got": 1}
        assert not Path("/tmp/aiimprove-planted").exists()

    def test_only_its_own_environment(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AIIMPROVE_SECRET", "hunter2")
        script = "return [open(f'/proc/{pid}/environ').read() for pid in os.listdir('/proc') if pid.isdigit()]"
        seen = "".join(lab.attack(BUBBLEWRAP, script, OWN="visible")["got"])
        assert "OWN=visible" in seen and "hunter2" not in seen and "HOME=" not in seen

    def test_no_host_process_is_seen_or_ended(self, lab: Lab) -> None:
        victim = subprocess.Popen(["sleep", "60"])
        try:
            script = f"names = [p for p in os.listdir('/proc') if p.isdigit()]\nos.kill({victim.pid}, signal.SIGKILL)"
            assert lab.attack(BUBBLEWRAP, script) == {"failed": "ProcessLookupError"}
            assert victim.poll() is None
        finally:
            victim.kill()
            victim.wait()

    def test_no_network_but_its_own(self, lab: Lab) -> None:
        with_host = process.free_ports(1)[0]
        server = subprocess.Popen([sys.executable, "-m", "http.server", str(with_host), "--bind", "127.0.0.1"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=lab.data)
        try:
            _until_listening(with_host)
            script = f"socket.create_connection(('127.0.0.1', {with_host}), 3).close(); return 'reached'"
            assert lab.attack(BUBBLEWRAP, script) == {"failed": "ConnectionRefusedError"}
            assert lab.attack(BUBBLEWRAP, script, network="host") == {"got": "reached"}
            assert "failed" in lab.attack(BUBBLEWRAP, "socket.create_connection(('1.1.1.1', 53), 3).close()")
        finally:
            server.kill()
            server.wait()

    def test_no_rights_are_left(self, lab: Lab) -> None:
        script = "return [row for row in open('/proc/self/status').read().splitlines() if row.startswith('CapEff')]"
        assert lab.attack(BUBBLEWRAP, script) == {"got": ["CapEff:\t0000000000000000"]}
        assert lab.attack(BUBBLEWRAP, "return os.getuid()") == {"got": 65534}
        assert "failed" in lab.attack(BUBBLEWRAP, "os.setuid(0)")

    def test_limits_hold(self, lab: Lab) -> None:
        script = "import resource as r; return [r.getrlimit(r.RLIMIT_FSIZE)[1], r.getrlimit(r.RLIMIT_CORE)[1]]"
        assert lab.attack(BUBBLEWRAP, script) == {"got": [2 << 30, 0]}

    def test_it_cannot_fill_the_machine_with_processes(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sandbox, "FENCE", f"aiimprove-test-{os.getpid()}")
        monkeypatch.setattr(sandbox, "MOST_PROCESSES", 60)
        monkeypatch.setattr(sandbox, "LIMITS", ("--nproc=60",))
        if os.getuid() == 0 and sandbox._fence(sandbox.FENCE, 60) is None:
            pytest.skip("root, and no control groups here")
        script = ("for made in range(300):\n    try:\n        if os.fork() == 0: signal.pause()\n"
                  "    except BlockingIOError: return made\nreturn made")
        assert lab.attack(BUBBLEWRAP, script)["got"] < 60
        fence = sandbox._fence(sandbox.FENCE, 60)
        assert fence is None or _emptied(fence)

    def test_it_ends_with_whoever_started_it(self, lab: Lab) -> None:
        launch = Launch("app", ("sh", "-c", "echo up; sleep 300"), {"PATH": SYSTEM_PATH}, lab.tree, 0)
        argv, env = boxed(BUBBLEWRAP, launch, readable=[lab.tree], network="loopback")
        script = f"import subprocess, time; subprocess.Popen({argv!r}, env={env!r}); time.sleep(60)"
        starter = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        assert starter.stdout is not None
        starter.stdout.readline()
        box = _child_of(starter.pid)
        assert box is not None
        starter.kill()
        starter.wait()
        assert box.wait(5.0)

    def test_a_folder_shown_elsewhere(self, lab: Lab, tmp_path: Path) -> None:
        (tmp_path / "modules").mkdir()
        (tmp_path / "modules" / "left-pad").write_text("pad")
        (lab.tree / "node_modules").mkdir()
        launch = Launch("app", ("cat", "node_modules/left-pad"), {"PATH": SYSTEM_PATH}, lab.tree, 0)
        argv, env = boxed(BUBBLEWRAP, launch, readable=[lab.tree], network="loopback",
                          mounts={lab.tree / "node_modules": tmp_path / "modules"})
        assert process.run(argv, cwd=lab.tree, env=env, deadline=10).output == "pad"

    def test_a_folder_shown_elsewhere_is_written_where_its_own_may_be(self, lab: Lab, tmp_path: Path) -> None:
        modules, home = tmp_path / "modules", tmp_path / "home"
        (modules / ".cache").mkdir(parents=True)
        (home / ".cache").mkdir(parents=True)
        (lab.tree / "node_modules").mkdir()
        words = ("sh", "-c", "echo x > node_modules/.cache/a; echo x > node_modules/b")
        launch = Launch("app", words, {"PATH": SYSTEM_PATH}, lab.tree, 0)
        shown = {lab.tree / "node_modules": modules, lab.tree / "node_modules" / ".cache": home / ".cache"}
        argv, env = boxed(BUBBLEWRAP, launch, readable=[lab.tree], writable=[home], network="loopback", mounts=shown)
        assert "node_modules/b" in process.run(argv, cwd=lab.tree, env=env, deadline=10).errors
        assert (home / ".cache" / "a").exists() and sorted(modules.rglob("*")) == [modules / ".cache"]


@needs_landlock
class TestLandlock:
    def test_its_own_tree_and_data(self, lab: Lab) -> None:
        assert lab.attack(LANDLOCK, "return open('app.py').read()") == {"got": "version = 1"}
        assert lab.attack(LANDLOCK, f"return open({str(lab.data / 'row')!r}, 'w').write('abc')") == {"got": 3}

    @pytest.mark.parametrize("path", ["{state}/state.db", "/etc/shadow", "/proc/{starter}/environ"])
    def test_secrets_are_denied(self, lab: Lab, path: str) -> None:
        wanted = path.format(state=lab.state, starter=os.getpid())
        assert lab.attack(LANDLOCK, f"return open({wanted!r}).read()") == {"failed": "PermissionError"}

    @pytest.mark.parametrize("path", ["{state}/planted", "{tree}/app.py", "/usr/bin/planted", "/tmp/planted"])
    def test_writing_outside_is_denied(self, lab: Lab, path: str) -> None:
        wanted = path.format(state=lab.state, tree=lab.tree)
        assert lab.attack(LANDLOCK, f"return open({wanted!r}, 'w').write('x')") == {"failed": "PermissionError"}

    @pytest.mark.skipif(landlock.version() < 6, reason="this kernel's Landlock knows no signals")
    def test_no_host_process_is_ended(self, lab: Lab) -> None:
        assert lab.attack(LANDLOCK, f"os.kill({os.getpid()}, 0)") == {"failed": "PermissionError"}


@needs_landlock
class TestHidden:
    """A live service: everything can be read but the state folder, and nothing be written but its data."""

    def run(self, lab: Lab, script: str, kept: Sequence[Path] = ()) -> process.Finished:
        launch = Launch("app", (sys.executable, "-I", "-c", script), {"PATH": SYSTEM_PATH}, lab.tree, 0,
                        lab.data, (lab.tree,))
        argv, env = hidden(launch, lab.state, kept=kept)
        return process.run(argv, cwd=lab.tree, env=env, deadline=20)

    def test_the_state_is_hidden(self, lab: Lab) -> None:
        secret, new = str(lab.state / "state.db"), str(lab.state / "new")
        for script in (f"open({secret!r})", f"open({new!r}, 'w')", f"import os; os.unlink({secret!r})",
                       f"import os; os.listdir({str(lab.state)!r})"):
            assert "PermissionError" in self.run(lab, script).errors
        assert (lab.state / "state.db").read_text() == "operators"

    def test_its_own_folders_and_everything_else_are_there(self, lab: Lab, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").write_text("here")
        script = f"""
open('app.py').read(); open({str(lab.data / 'row')!r}, 'w').write('x'); open('/etc/passwd').read()
print(open({str(tmp_path / 'elsewhere')!r}).read())"""
        done = self.run(lab, script)
        assert (done.exit_code, done.output.strip()) == (0, "here"), done.errors
        assert (lab.data / "row").read_text() == "x"

    def test_it_changes_nothing_that_its_owner_runs(self, lab: Lab, tmp_path: Path) -> None:
        ours, inside = tmp_path / "repository", lab.state / "data" / "kept"
        for folder in (ours, inside):
            folder.mkdir(parents=True)
        for file in map(str, (ours / "hook", "/etc/trial", Path(sys.prefix) / "trial", Path.home() / "trial")):
            assert "PermissionError" in self.run(lab, f"open({file!r}, 'w')", [ours, Path(sys.prefix)]).errors, file
        assert self.run(lab, f"import os; os.listdir({str(ours)!r}); open('/dev/null', 'w'); "
                        "import tempfile; tempfile.TemporaryFile(dir='/dev/shm')", [ours]).exit_code == 0
        assert "PermissionError" in self.run(lab, f"open({str(inside / 'x')!r}, 'w')", [lab.state.parent]).errors

    def test_its_own_release_stays_as_it_is(self, lab: Lab) -> None:
        assert "PermissionError" in self.run(lab, "open('app.py', 'w')").errors

    def test_a_way_in_through_another_process_is_shut(self, lab: Lab) -> None:
        outside = subprocess.Popen(["sleep", "60"], cwd=lab.state)
        try:
            assert "PermissionError" in self.run(lab, f"open('/proc/{outside.pid}/cwd/state.db')").errors
        finally:
            outside.kill()
            outside.wait()


@needs_landlock
def test_a_folder_for_temporary_files_under_landlock(lab: Lab) -> None:
    script = f"import tempfile; return tempfile.mkdtemp().startswith({str(lab.data)!r})"
    assert lab.attack(LANDLOCK, script) == {"got": True}


def test_without_any_box_it_is_named_so(lab: Lab) -> None:
    launch = Launch("app", ("true",), {"PATH": SYSTEM_PATH}, lab.tree, 0)
    assert boxed(Box("none"), launch, network="host") == (["true"], {"PATH": SYSTEM_PATH})


def _child_of(pid: int) -> process.Identity | None:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return process.Identity.of(int(children[0])) if children else None


def _emptied(fence: Path) -> bool:
    """Removes a control group once nothing is left in it."""
    deadline = time.monotonic() + 5
    while fence.read_text().strip() and time.monotonic() < deadline:
        os.sched_yield()
    fence.parent.rmdir()
    return True


def _until_listening(port: int) -> None:
    from aiimprove.probes import wait_until_healthy
    wait_until_healthy([f"http://127.0.0.1:{port}/"], 1, 10.0)
