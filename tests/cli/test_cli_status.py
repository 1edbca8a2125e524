"""`status --json`: the same bytes by its short way and by the whole one, whatever the state is."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest
from tiny import CALL, Tiny

from aiimprove.improvement import Status
from aiimprove.lock import held
from aiimprove.release import Deployment, Slot

FULL = (sys.executable, "-P", "-c", "import sys; from commands.table import run; sys.exit(run(sys.argv[1:]))")


def both(tiny: Tiny, *words: str, stdin: bytes = b"") -> tuple[bytes, bytes]:
    """What the short way and the whole way print."""
    said = [subprocess.run([*call, "status", "--json", *words], cwd=tiny.folder, env=tiny.env, input=stdin,
                           capture_output=True) for call in (CALL, FULL)]
    assert [each.returncode for each in said] == [0, 0] and said[0].stderr == said[1].stderr == b"", said
    return said[0].stdout, said[1].stdout


def test_the_same_bytes_in_every_state(tiny: Tiny) -> None:
    short, full = both(tiny)
    assert short == full and (tiny.state / "run" / "config.json").is_file()
    assert not (tiny.state / "state.db").exists()
    tiny.plant(Status.PROPOSED, "one")
    tiny.plant(Status.AWAITING_APPROVAL, "two")
    tiny.pretend_live()
    with closing(tiny.store()) as store:
        store.connection.execute("INSERT INTO health VALUES (1.5, ?)", (json.dumps({"score": 90, "live": "ok"}),))
        store.add_deployment(Deployment("d", "r-new", "r-old", Slot.BLUE, adds=("two",)), "test")
        with held(store, "run", "run"), held(store, "improvement one", "writing it"):
            short, full = both(tiny)
    assert short == full
    data = json.loads(short)["data"]
    assert data["running"] is True and data["counts"] == {"AWAITING_APPROVAL": 1, "PROPOSED": 1}
    assert data["health"]["score"] == 90 and data["deploying"]["improvement"] == "two"
    assert {each["id"]: each["digest"] for each in data["improvements"]} == {"one": "", "two": "d" * 64}
    token = tiny.operator()
    short, full = both(tiny, "--operator", stdin=token.encode() + b"\n")
    assert short == full and json.loads(short)["data"]["counts"]


def test_the_short_way_was_taken(tiny: Tiny) -> None:
    tiny.call("status", "--json")
    done = subprocess.run([sys.executable, "-P", "-X", "importtime", *CALL[2:], "status", "--json"], cwd=tiny.folder,
                          env=tiny.env, capture_output=True, text=True)
    assert "overview" in done.stderr and "typer" not in done.stderr and "tomllib" not in done.stderr


@pytest.mark.parametrize("token", ["", "aiop_wrong\n"])
def test_no_operator_no_status(tiny: Tiny, token: str) -> None:
    tiny.plant(Status.PROPOSED)
    for words in (("status", "--json", "--operator"), ("status", "--operator"), ("show", "index", "--operator")):
        said = tiny.call(*words, stdin=token)
        assert said.exit_code == 3 and "Index notes" not in said.output


def test_a_changed_config_is_seen_at_once(tiny: Tiny) -> None:
    assert tiny.call("status", "--json").data["name"] == "tiny"
    tiny.edit("config.toml", 'name = "tiny"', 'name = "huge"')
    assert tiny.call("status", "--json").data["name"] == "huge"
    tiny.edit("config.toml", f"live_port = {tiny.live_port}", f"live_port = {tiny.dev_port + 1}")
    short, full = both(tiny)
    assert short == full and json.loads(short)["data"]["live_url"] == f"http://localhost:{tiny.dev_port + 1}"


def test_a_damaged_stamp_does_not_matter(tiny: Tiny) -> None:
    tiny.call("status", "--json")
    stamp = tiny.state / "run" / "config.json"
    for content in ("", "{", "[]", "null", '{"repository": 1}', "3"):
        stamp.write_text(content)
        assert tiny.call("status", "--json").data["name"] == "tiny"


def test_a_dead_loop_does_not_run(tiny: Tiny) -> None:
    code = ("import signal, sys\nfrom pathlib import Path\nfrom aiimprove.lock import held\n"
            "from aiimprove.store import Store\nwith held(Store(Path(sys.argv[1])), 'run', 'run'):\n"
            "    print('held', flush=True)\n    signal.pause()")
    loop = subprocess.Popen([sys.executable, "-c", code, str(tiny.state / "state.db")], stdout=subprocess.PIPE)
    assert loop.stdout and loop.stdout.readline() == b"held\n"
    assert tiny.call("status", "--json").data["running"] is True
    loop.send_signal(signal.SIGKILL)
    loop.wait()
    assert tiny.call("status", "--json").data["running"] is False


def test_it_waits_for_nobody(tiny: Tiny) -> None:
    tiny.plant(Status.PROPOSED)
    tiny.call("status", "--json")
    with closing(tiny.store()) as store, store.transaction():
        began = time.monotonic()
        assert tiny.call("status", "--json").data["counts"] == {"PROPOSED": 1}
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("json_words", [("--json",), ()])
def test_a_damaged_state_is_a_sentence(tiny: Tiny, json_words: tuple[str, ...]) -> None:
    tiny.plant(Status.PROPOSED)
    tiny.call("status", "--json")
    (tiny.state / "state.db").write_bytes(b"no database at all" * 300)
    for name in ("state.db-wal", "state.db-shm"):
        (tiny.state / name).unlink(missing_ok=True)
    said = tiny.call("status", *json_words)
    assert said.exit_code == 1 and "Traceback" not in said.errors and "Live is not touched" in said.output + said.errors


def test_a_state_half_written(tiny: Tiny) -> None:
    for number in range(40):
        tiny.plant(Status.PROPOSED, f"i{number}")
    with closing(sqlite3.connect(tiny.state / "state.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (tiny.state / "state.db").open("r+b") as half:
        half.truncate(os.path.getsize(tiny.state / "state.db") // 2)
    for words in (("status",), ("audit", "--verify"), ("show", "i3"), ("findings",)):
        said = tiny.call(*words, "--json")
        assert said.exit_code in (0, 1) and "Traceback" not in said.errors, said
        assert said.exit_code == 0 or said.error["code"] in ("machine", "store_damaged")


def test_a_state_of_a_newer_version(tiny: Tiny) -> None:
    tiny.plant(Status.PROPOSED)
    with closing(tiny.store()) as store:
        store.connection.execute("PRAGMA user_version = 99")
    for words in (("audit", "--json"), ("up", "--json"), ("generate", "--json"), ("run", "--once", "--json")):
        said = tiny.call(*words)
        assert (said.exit_code, said.error["code"]) == (2, "schema_too_new"), said


def test_what_is_not_committed_is_named_and_left_alone(tiny: Tiny) -> None:
    tiny.pretend_live()
    tiny.edit("app/app.py", "no such page", "nothing here")
    (tiny.folder / "notes.txt").write_text("mine")
    before = tiny.git("status", "--porcelain"), (tiny.folder / ".git" / "index").read_bytes()
    said = tiny.call("status")
    assert "Not live, because not committed: app/app.py, notes.txt" in said.output
    assert (tiny.git("status", "--porcelain"), (tiny.folder / ".git" / "index").read_bytes()) == before
    tiny.commit({})
    assert "1 of your commits are not live: 'aiimprove deploy HEAD' ships them." in tiny.call("status").output
    tiny.pretend_live()
    tiny.git("reset", "-q", "--hard", "HEAD~1")
    assert "Your main is 1 commits behind live: 'git merge aiimprove/live' catches up." in tiny.call("status").output


def test_a_state_folder_that_cannot_be_made(tiny: Tiny) -> None:
    (tiny.root / "file").write_text("in the way")
    for words in (("status", "--json"), ("up", "--json"), ("audit", "--json")):
        said = tiny.call(*words, env={"AIIMPROVE_STATE": str(tiny.root / "file" / "state")})
        assert said.exit_code == 1 and said.error["code"] == "machine" and "Traceback" not in said.errors
