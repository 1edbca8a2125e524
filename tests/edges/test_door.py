"""The door as a real process: a few words pass with a token, everything else is refused outside of the app's reach."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny import CALL, Said, Tiny

from aiimprove.improvement import Status


class Door:
    """The server, and calls through it as a service of the app makes them."""

    def __init__(self, tiny: Tiny) -> None:
        self.tiny, self.folder = tiny, tiny.state / "run" / "door"
        self.process = subprocess.Popen([sys.executable, "-P", "-m", "aiimprove.door", str(self.folder)],
                                        cwd=tiny.folder, env=tiny.env)
        deadline = time.monotonic() + 20
        while not self._answers():
            assert self.process.poll() is None and time.monotonic() < deadline

    def call(self, *words: str, stdin: str = "") -> Said:
        env = {"PATH": os.environ["PATH"], "AIIMPROVE_DOOR": str(self.folder)}
        done = subprocess.run([*CALL, *words], cwd="/", env=env, input=stdin, capture_output=True, text=True)
        return Said(done.returncode, done.stdout, done.stderr)

    def line(self) -> socket.socket:
        """A raw connection; the path is short whatever the folder is called."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(30)
        try:
            line.connect(f"/proc/self/fd/{descriptor}/socket")
        finally:
            os.close(descriptor)
        return line

    def _answers(self) -> bool:
        try:
            self.line().close()
        except OSError:
            return False
        return True


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    tiny = Tiny(tmp_path_factory.mktemp("door"))
    tiny.call("status", "--json")
    tiny.plant(Status.AWAITING_APPROVAL)
    found = Door(tiny)
    yield found
    found.process.send_signal(signal.SIGTERM)
    found.process.wait(10)


def test_status_and_show_for_an_operator(door: Door) -> None:
    token = door.tiny.operator()
    status = door.call("status", "--operator", "--json", stdin=token + "\n")
    assert status.data["name"] == "tiny" and status.data["counts"]["AWAITING_APPROVAL"] == 1
    assert door.call("show", "index", "--operator", "--json", stdin=token).data["id"] == "index"
    missing = door.call("show", "nothing", "--operator", "--json", stdin=token)
    assert missing.exit_code == 7 and missing.error["code"] == "not_found"


def test_approve_and_reject_with_a_token(door: Door) -> None:
    tiny = door.tiny
    tiny.pretend_live()
    first, second = tiny.plant(Status.AWAITING_APPROVAL, "one"), tiny.plant(Status.AWAITING_APPROVAL, "two")
    token = tiny.operator()
    said = door.call("approve", "one", "--digest", first.digest, "--json", "--token-stdin", stdin=token + "\n")
    approved = said.data["improvement"]
    assert (approved["status"], approved["approval"]["by"]) == ("APPROVED", tiny.operators[-1])
    said = door.call("reject", "two", "--digest", second.digest, "--reason", "--json is no reason; `id`", "--json",
                     "--token-stdin", stdin=token + "\n")
    assert said.data["improvement"]["status"] == "REJECTED"
    assert said.data["improvement"]["reason"] == "--json is no reason; `id`"


def test_signing_in_through_the_door(door: Door) -> None:
    from aiimprove import operators

    store = door.tiny.store()
    secret = operators.link(store, "anna", "test")
    session = door.call("operator", "login", "--json", stdin=secret + "\n").data
    assert door.call("status", "--operator", "--json", stdin=session["token"]).exit_code == 0
    assert door.call("operator", "login", "--json", stdin=secret + "\n").exit_code == 3
    store.close()


@pytest.mark.parametrize("words", [
    ("status", "--operator", "--json"), ("show", "index", "--operator", "--json"),
    ("approve", "index", "--digest", "d" * 64, "--token-stdin", "--json"),
    ("reject", "index", "--digest", "d" * 64, "--token-stdin", "--json"), ("operator", "login", "--json")])
@pytest.mark.parametrize("token", ["", "aiop_wrong\n"])
def test_without_a_proof_nothing_is_told_or_done(door: Door, words: tuple[str, ...], token: str) -> None:
    said = door.call(*words, stdin=token)
    assert said.exit_code == 3 and said.error["code"] == "not_operator" and said.envelope["data"] == {}
    store = door.tiny.store()
    assert store.improvement("index").status is Status.AWAITING_APPROVAL
    store.close()


@pytest.mark.parametrize("words", [("deploy", "HEAD", "--token-stdin", "--json"), ("down", "--json"), (),
                                   ("status", "--json"), ("operator", "add", "eve", "--token-stdin", "--json"),
                                   ("run", "--once"), ("audit", "--json"),
                                   ("status", "--operator", "--json", "--help")])
def test_other_words_do_not_pass_even_with_a_token(door: Door, words: tuple[str, ...]) -> None:
    said = door.call(*words, stdin=door.tiny.operator())
    assert said.exit_code == 3 and said.error["code"] == "not_allowed" and "inside the app" in said.error["message"]


@pytest.mark.parametrize("sent", [b"", b"\n", b"no json\n", b"[]\n", b"{}\n", b'{"words": 3}\n', b'{"words": [3]}\n',
                                  b'{"words": ["status", "--operator", "--json"], "stdin": {}}\n', b"\xff\xfe\n",
                                  b'{"words": ["' + b"x" * 100_000 + b'"]}\n', b'{"words": ["status\\u0000"]}\n',
                                  b'{"words": ["show", "a\\u0000b", "--operator", "--json"], "stdin": ""}\n',
                                  b'{"words": ["show", "\\ud800", "--operator", "--json"], "stdin": "\\ud800"}\n'])
def test_nonsense_does_not_stop_it(door: Door, sent: bytes) -> None:
    with door.line() as line, line.makefile("rb") as answer:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        said = json.loads(answer.readline())
    assert said["exit_code"] == 3 and json.loads(said["output"])["errors"][0]["code"].startswith("not_")
    assert door.process.poll() is None
    assert door.call("deploy", "--json").error["code"] == "not_allowed"


def test_visits_that_say_nothing_do_not_keep_others_out(door: Door) -> None:
    token = door.tiny.operator()
    silent = [door.line() for _ in range(20)]
    assert door.call("status", "--operator", "--json", stdin=token).exit_code == 0
    for line in silent:
        line.close()


def test_many_at_once_are_all_answered(door: Door) -> None:
    token = door.tiny.operator()
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(
        door.call("status", "--operator", "--json", stdin=token).exit_code)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0] * 12


def test_others_cannot_come_near(door: Door) -> None:
    assert stat.S_IMODE(os.stat(door.folder).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(door.folder / "socket").st_mode) == 0o600


def test_a_token_is_never_in_the_words_or_the_environment(door: Door) -> None:
    token = door.tiny.operator()
    seen: list[bytes] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit():
                    for name in ("cmdline", "environ"):
                        try:
                            seen.append((entry / name).read_bytes())
                        except OSError:
                            continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    door.call("status", "--operator", "--json", stdin=token)
    over.set()
    watcher.join()
    assert any(b"--operator" in each for each in seen) and not any(token.encode() in each for each in seen)


def test_without_a_door_it_is_said(tiny: Tiny) -> None:
    done = subprocess.run([*CALL, "status", "--operator", "--json"], cwd="/", input="x", capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], "AIIMPROVE_DOOR": str(tiny.root / "nowhere")})
    said = Said(done.returncode, done.stdout, done.stderr)
    assert said.exit_code == 1 and said.error["code"] == "unreachable" and "aiimprove up" in said.error["message"]
