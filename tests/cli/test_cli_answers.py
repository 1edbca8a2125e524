"""Who may say yes, and to what: by token or typed at a terminal, to exactly what was shown, once."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import CALL, FINDING, Said, Tiny, proven

from aiimprove.evidence import Verdict
from aiimprove.improvement import Improvement, Status
from aiimprove.process import Identity
from aiimprove.proving import judge_digest
from aiimprove.shim.kept import Kept, Spec

DIGEST = "d" * 64


@pytest.fixture
def tiny(built: Tiny, tmp_path: Path) -> Tiny:
    """With its commit noted as live; nothing runs."""
    return built.copy(tmp_path)


@pytest.fixture
def asked(tiny: Tiny) -> Tiny:
    """With one improvement that waits for an answer."""
    tiny.plant(Status.AWAITING_APPROVAL)
    return tiny


def now(tiny: Tiny, name: str = "index") -> Improvement:
    store = tiny.store()
    try:
        return store.improvement(name)
    finally:
        store.close()


def at_terminal(tiny: Tiny, words: Sequence[str], typed: str = "") -> Said:
    """A call in front of which a person sits, who types an answer once asked."""
    person, screen = pty.openpty()
    process = subprocess.Popen([*CALL, *words], cwd=tiny.folder, env=tiny.env, stdin=screen, stderr=screen,
                               stdout=subprocess.PIPE, start_new_session=True)
    os.close(screen)
    os.write(person, typed.encode())
    shown = b""
    try:
        while chunk := os.read(person, 4096):
            shown += chunk
    except OSError:
        pass  # the terminal is gone when nobody holds it any more
    finally:
        os.close(person)
    output = process.communicate(timeout=60)[0].decode()
    return Said(process.returncode, output, shown.decode().replace("\r\n", "\n"))


# -- by token ---------------------------------------------------------------------------------------------------------

def test_a_token_approves_what_was_shown(asked: Tiny) -> None:
    token = asked.operator()
    said = asked.call("approve", "index", "--digest", DIGEST, "--token-stdin", "--json", stdin=f"{token}\n")
    assert said.data["improvement"]["status"] == "APPROVED" and token not in said.output
    approved = now(asked)
    assert approved.approval and (approved.approval.by, approved.approval.digest) == (asked.operators[0], DIGEST)


def test_approving_twice_changes_nothing(asked: Tiny) -> None:
    words = ("approve", "index", "--digest", DIGEST, "--token-stdin", "--json")
    token = asked.operator()
    asked.call(*words, stdin=token)
    first = now(asked)
    said = asked.call(*words, stdin=token)
    assert said.data["improvement"]["status"] == "APPROVED" and now(asked) == first


def test_many_approvals_at_once_are_one(asked: Tiny) -> None:
    token = asked.operator()
    words = ("approve", "index", "--digest", DIGEST, "--token-stdin", "--json")
    calls = [asked.start(*words) for _ in range(4)]
    codes = []
    for call in calls:
        call.communicate(token, 60)
        codes.append(call.returncode)
    store = asked.store()
    approvals = [event for event in store.events("index") if event.name == "improvement.approved"]
    assert len(approvals) == 1 and set(codes) <= {0, 3} and 0 in codes and store.broken_at() is None
    store.close()


@pytest.mark.parametrize("token", ["", "aiop_wrong"])
@pytest.mark.parametrize("words", [("approve", "index", "--digest", DIGEST), ("reject", "index", "--digest", DIGEST),
                                   ("operator", "add", "eve"), ("operator", "link")], ids=lambda words: words[0])
def test_a_wrong_token(asked: Tiny, words: tuple[str, ...], token: str) -> None:
    asked.operator()
    said = asked.call(*words, "--token-stdin", "--json", stdin=token + "\n")
    assert said.exit_code == 3 and said.error["code"] == "not_operator" and said.envelope["data"] == {}
    assert now(asked).status is Status.AWAITING_APPROVAL


def test_the_token_of_somebody_removed(asked: Tiny) -> None:
    token, other = asked.operator(), asked.operator()
    assert asked.call("operator", "remove", asked.operators[0], "--token-stdin", "--json", stdin=other).exit_code == 0
    said = asked.call("approve", "index", "--digest", DIGEST, "--token-stdin", "--json", stdin=token)
    assert said.exit_code == 3 and now(asked).status is Status.AWAITING_APPROVAL


@pytest.mark.parametrize("digest", ["e" * 64, "", "d" * 63, DIGEST.upper()])
def test_a_stale_digest(asked: Tiny, digest: str) -> None:
    token = asked.operator()
    for verb in ("approve", "reject"):
        said = asked.call(verb, "index", "--digest", digest, "--token-stdin", "--json", stdin=token)
        code, exit_code = ("stale", 3) if digest else ("usage", 2)
        assert (said.exit_code, said.error["code"]) == (exit_code, code)
    assert now(asked).status is Status.AWAITING_APPROVAL


def test_outside_a_terminal_the_digest_is_needed(asked: Tiny) -> None:
    for verb in ("approve", "reject"):
        said = asked.call(verb, "index", "--token-stdin", "--json", stdin=asked.operator())
        assert said.exit_code == 2 and "needs --digest" in said.error["message"]


def test_what_was_proven_on_an_earlier_live_version(asked: Tiny) -> None:
    asked.commit({"app/more.py": ""})
    asked.pretend_live()
    said = asked.call("approve", "index", "--digest", DIGEST, "--token-stdin", "--json", stdin=asked.operator())
    assert (said.exit_code, said.error["code"]) == (3, "stale") and now(asked).status is Status.AWAITING_APPROVAL


@pytest.mark.parametrize("status", [Status.PROPOSED, Status.VERIFIED, Status.FAILED, Status.REJECTED, Status.EXPIRED])
def test_only_what_waits_is_approved(tiny: Tiny, status: Status) -> None:
    tiny.plant(status, digest=DIGEST)
    said = tiny.call("approve", "index", "--digest", DIGEST, "--token-stdin", "--json", stdin=tiny.operator())
    assert said.exit_code == 3 and f"index is {status}" in said.error["message"] and now(tiny).status is status


WRONG_STATUS = [("generate", Status.REJECTED), ("generate", Status.LIVE), ("test", Status.PROPOSED),
                ("test", Status.LIVE), ("test", Status.REJECTED), ("request-approval", Status.GENERATED),
                ("request-approval", Status.REJECTED), ("preview", Status.PROPOSED), ("reject", Status.LIVE)]


@pytest.mark.parametrize(("verb", "status"), WRONG_STATUS)
def test_a_verb_at_the_wrong_time(tiny: Tiny, verb: str, status: Status) -> None:
    tiny.plant(status, digest=DIGEST)
    words = ("--digest", DIGEST, "--token-stdin") if verb == "reject" else ()
    said = tiny.call(verb, "index", *words, "--json", stdin=tiny.operator())
    assert said.exit_code == 3 and f"index is {status}" in said.error["message"]


@pytest.mark.parametrize("status", [Status.AWAITING_APPROVAL, Status.PROPOSED, Status.VERIFIED, Status.REJECTED])
def test_nothing_unapproved_is_deployed(tiny: Tiny, status: Status) -> None:
    tiny.plant(status)
    said = tiny.call("deploy", "index", "--token-stdin", "--json", stdin=tiny.operator())
    assert said.exit_code == 3 and "only an APPROVED improvement" in said.error["message"]


def test_a_rejection_keeps_its_reason(asked: Tiny) -> None:
    said = asked.call("reject", "index", "--reason", "not \u202e now", "--digest", DIGEST, "--token-stdin", "--json",
                      stdin=asked.operator())
    assert said.data["improvement"]["reason"] == "not <U+202E> now" and now(asked).reason == "not \u202e now"
    again = asked.call("reject", "index", "--digest", DIGEST, "--token-stdin", "--json", stdin=asked.operator())
    assert again.data["improvement"]["status"] == "REJECTED" and now(asked).reason == "not \u202e now"


@pytest.mark.parametrize(("because", "words"), [
    ("not-wanted", "comes back when its impact is 30 (1.5 times as large), or after 20"),
    ("wrong-approach", "another approach may be proposed at any time; this one (recipes) comes back"),
    ("false-alarm", "because false alarm; comes back when its impact is 30 (1.5 times as large)")])
def test_what_would_bring_a_rejected_idea_back(asked: Tiny, because: str, words: str) -> None:
    store = asked.store()
    store.record_findings([FINDING], "0" * 40)
    planted = store.improvement("index")
    store.save(planted, planted.note(author="recipes"), "test")
    store.close()
    said = asked.call("reject", "index", "--because", because, "--digest", DIGEST, "--token-stdin",
                      stdin=asked.operator())
    assert words in " ".join(said.output.split()), said
    card = asked.call("show", "index", "--json").data["rejection"]
    assert card["because"] == because and words in card["words"] and (card["until"] is None) is (because[0] == "f")
    assert words in " ".join(asked.call("show", "index").output.split())
    (found,) = asked.call("findings", "--json").data["findings"]
    assert found["status"] == "REJECTED" and words in found["remembered"]


def test_a_reason_that_nobody_knows(asked: Tiny) -> None:
    said = asked.call("reject", "index", "--because", "dislike", "--digest", DIGEST, "--token-stdin", "--json",
                      stdin=asked.operator())
    assert said.exit_code == 2 and "not-wanted, wrong-approach, not-now, false-alarm" in said.error["message"]
    assert now(asked).status is Status.AWAITING_APPROVAL


def test_nobody_is_asked_twice_about_one_cause(asked: Tiny) -> None:
    longer = replace(FINDING, place="app/notes(tag, day)", details={**FINDING.details, "columns": ["tag", "day"]})
    other = asked.plant(Status.VERIFIED, "longer", finding=longer)
    said = asked.call("request-approval", "longer", "--json")
    assert said.exit_code == 3 and "index is about the same" in said.error["message"]
    assert asked.call("request-approval", "--json").data["improvement"] is None
    assert now(asked, "longer").status is Status.SUPERSEDED
    store = asked.store()
    store.record_findings([other.finding], "0" * 40)
    store.close()
    (found,) = asked.call("findings", "--json").data["findings"]
    assert "index is about the same: an index of notes that begins with tag" in found["remembered"]


# -- without a proof of who it is -------------------------------------------------------------------------------------

PRIVATE = [("approve", "index"), ("reject", "index"), ("rollback", "--to", "RELEASE"), ("deploy", "REF"),
           ("operator", "add", "eve"), ("operator", "remove", "anna"), ("operator", "link")]


@pytest.mark.parametrize("words", PRIVATE, ids=" ".join)
def test_neither_terminal_nor_token(asked: Tiny, words: tuple[str, ...]) -> None:
    other = asked.commit({"app/more.py": ""})
    release = asked.pretend_live()
    asked.git("reset", "-q", "--hard", "HEAD~1")
    asked.pretend_live()
    filled = [{"REF": other, "RELEASE": release}.get(word, word) for word in words]
    store = asked.store()
    before = store.head()
    said = asked.call(*filled, "--json", stdin="yes\n")
    assert said.exit_code == 3 and said.error["code"] == "not_operator" and "--token-stdin" in said.error["message"]
    assert store.head() == before and now(asked).status is Status.AWAITING_APPROVAL
    store.close()


# -- at a terminal ----------------------------------------------------------------------------------------------------

def test_yes_typed_at_a_terminal(asked: Tiny) -> None:
    said = at_terminal(asked, ("approve", "index", "--json"), "yes\n")
    assert said.data["improvement"]["status"] == "APPROVED"
    assert f"Put 'Index notes by tag' (index, {DIGEST[:12]}) live? Type yes:" in said.errors


@pytest.mark.parametrize("typed", ["no\n", "\x04", "aye\n"])
def test_anything_else_is_no(asked: Tiny, typed: str) -> None:
    said = at_terminal(asked, ("approve", "index", "--json"), typed)
    assert said.exit_code == 3 and "the answer was not yes: nothing was done" in said.error["message"]
    assert now(asked).status is Status.AWAITING_APPROVAL


def test_a_stale_digest_at_a_terminal(asked: Tiny) -> None:
    said = at_terminal(asked, ("approve", "index", "--digest", "e" * 64, "--json"), "yes\n")
    assert (said.exit_code, said.error["code"]) == (3, "stale")


# -- without a way back -----------------------------------------------------------------------------------------------

@pytest.fixture
def one_way(tiny: Tiny) -> Tiny:
    """With one improvement that waits for an answer, and whose proof found no way back."""
    evidence = proven(tiny.git("rev-parse", "HEAD"), judge_digest(tiny.config()))
    checks = tuple(replace(check, verdict=Verdict.FAILED, summary="one way, because rows are lost (notes: 3 gone)")
                   if check.name == "rollback" else check for check in evidence.checks)
    tiny.plant(Status.AWAITING_APPROVAL, evidence=replace(evidence, checks=checks))
    return tiny


def test_a_yes_alone_is_not_enough(one_way: Tiny) -> None:
    words, token = ("approve", "index", "--digest", DIGEST, "--token-stdin", "--json"), one_way.operator()
    said = one_way.call(*words, stdin=token)
    assert said.exit_code == 3 and "rows are lost (notes: 3 gone)" in said.error["message"]
    assert "--one-way" in said.error["message"] and now(one_way).status is Status.AWAITING_APPROVAL
    card = one_way.call("show", "index", "--json").data
    assert card["rollback"]["one_way"] and card["rollback"]["words"].startswith("one way, because")
    known = one_way.call(*words, "--one-way", stdin=token)
    assert known.data["improvement"]["status"] == "APPROVED" and "one way" in now(one_way).reason


@pytest.mark.parametrize(("typed", "approved"), [("yes\n", False), ("one way\n", True)])
def test_it_must_be_typed_at_a_terminal(one_way: Tiny, typed: str, approved: bool) -> None:
    said = at_terminal(one_way, ("approve", "index", "--json"), typed)
    assert "It is one way, because rows are lost (notes: 3 gone). Type one way:" in said.errors
    assert (now(one_way).status is Status.APPROVED) is approved and (said.exit_code == 0) is approved


def test_a_title_cannot_dress_up_the_question(tiny: Tiny) -> None:
    store = tiny.store()
    bad = replace(FINDING, title="harmless\x1b[2J\u202e")
    store.add(Improvement("index", bad, Status.AWAITING_APPROVAL, digest=DIGEST), "test")
    store.close()
    shown = at_terminal(tiny, ("approve", "index"), "no\n")
    assert "\x1b[2J" not in shown.errors and "\u202e" not in shown.errors
    for words in (("show", "index"), ("status",), ("findings",)):
        said = tiny.call(*words)
        assert said.exit_code == 0 and "\x1b" not in said.output and "\u202e" not in said.output


def test_operators_at_a_terminal(tiny: Tiny) -> None:
    added = at_terminal(tiny, ("operator", "add", "anna", "--json"), "yes\n")
    token = added.data["token"]
    link = tiny.call("operator", "link", "anna", "--token-stdin", "--json", stdin=token).data["url"]
    secret = link.partition("#operator=")[2]
    assert link.startswith(f"http://localhost:{tiny.live_port}/#operator=") and len(secret) > 20
    session = tiny.call("operator", "login", "--json", stdin=secret + "\n").data
    assert session["name"].startswith("anna@web-")
    assert tiny.call("operator", "login", "--json", stdin=secret).exit_code == 3
    listed = tiny.call("operator", "list", "--json")
    assert {each["name"] for each in listed.data["operators"]} == {"anna", session["name"]}
    assert token not in listed.output and session["token"] not in listed.output
    assert at_terminal(tiny, ("operator", "remove", "anna", "--json"), "yes\n").exit_code == 0
    assert tiny.call("operator", "list", "--json").data == {"operators": []}


def test_ctrl_c_at_the_question(asked: Tiny) -> None:
    person, screen = pty.openpty()
    process = subprocess.Popen([*CALL, "approve", "index", "--json"], cwd=asked.folder, env=asked.env, stdin=screen,
                               stderr=screen, stdout=subprocess.PIPE, start_new_session=True)
    os.close(screen)
    shown = b""
    while b"Type yes:" not in shown:
        shown += os.read(person, 4096)
    process.send_signal(signal.SIGINT)
    said = Said(0, process.communicate(timeout=60)[0].decode(), "")
    os.close(person)
    found = json.loads(said.output)
    assert process.returncode == found["exit_code"] == 130 and found["errors"][0]["code"] == "interrupted"
    assert now(asked).status is Status.AWAITING_APPROVAL


FAKE_TERMINAL = """
import os, pty, signal, subprocess, sys
person, screen = pty.openpty()
call = subprocess.Popen(sys.argv[2:], stdin=screen, stderr=screen, stdout=subprocess.PIPE)
os.close(screen)
os.write(person, b"yes\\n")
output = call.communicate()[0]
with open(sys.argv[1] + ".draft", "wb") as file:
    file.write(output)
os.rename(sys.argv[1] + ".draft", sys.argv[1])
signal.pause()
"""


def test_what_a_shim_of_ours_started_is_no_person(asked: Tiny) -> None:
    """A service of the app can make itself a terminal; it is refused by where it comes from."""
    answer = asked.root / "answer"
    kept = Kept(asked.state / "run" / "slots" / "live" / "blue" / "app")
    kept.start(Spec((sys.executable, "-c", FAKE_TERMINAL, str(answer), *CALL, "approve", "index", "--json"), asked.env,
                    asked.folder, asked.root / "service.log", stop_seconds=2.0))
    try:
        deadline = time.monotonic() + 60
        while not answer.exists():
            assert time.monotonic() < deadline, (asked.root / "service.log").read_text()
        said = json.loads(answer.read_text())
        assert said["exit_code"] == 3 and said["errors"][0]["code"] == "not_operator"
        assert now(asked).status is Status.AWAITING_APPROVAL
    finally:
        program = kept.state().program
        kept.stop()
    assert program is None or not Identity(program.pid, program.started, program.boot).alive()


def test_the_same_terminal_without_a_shim_is_a_person(asked: Tiny, tmp_path: Path) -> None:
    answer = asked.root / "answer"
    process = subprocess.Popen([sys.executable, "-c", FAKE_TERMINAL, str(answer), *CALL, "approve", "index", "--json"],
                               cwd=asked.folder, env=asked.env)
    deadline = time.monotonic() + 60
    while not answer.exists():
        assert time.monotonic() < deadline
    process.kill()
    process.wait()
    assert json.loads(answer.read_text())["exit_code"] == 0
