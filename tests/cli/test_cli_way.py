"""The whole way on a small stranger's app, by the command line alone: from up to down, with a fix and its rollback."""

from __future__ import annotations

import http.client
import json
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny import FINDING, Said, Tiny

from aiimprove.improvement import Approval, Improvement, Status
from aiimprove.lock import held, holder
from aiimprove.process import port_holder
from aiimprove.shim.kept import Kept


def ask(port: int, path: str, note: dict[str, str] | None = None) -> Any:
    """An answer of the app; with a note it is posted."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    try:
        connection.request("POST" if note else "GET", path, body=json.dumps(note) if note else None)
        answer = connection.getresponse()
        assert answer.status < 400, answer.status
        return json.loads(answer.read())
    finally:
        connection.close()


def running_from(tiny: Tiny) -> list[str]:
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


class Town(Tiny):
    """The app, up, without the loop: every step is a call of its own."""

    def stop_loop(self) -> None:
        """End the loop and its shim, as somebody would who takes every step by hand."""
        Kept(self.state / "run" / "loop").stop()

    def act(self, *words: str) -> Said:
        """A call with an operator's token."""
        if not hasattr(self, "token"):
            self.token = self.operator()
        return self.call(*words, "--token-stdin", "--json", stdin=self.token)

    def found(self, name: str = "index") -> Improvement:
        with closing(self.store()) as store:
            return store.improvement(name)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    tiny = Town(tmp_path_factory.mktemp("town"))
    try:
        said = tiny.call("up", "--json")
        assert said.data["started"] is True and said.data["live_url"] == f"http://localhost:{tiny.live_port}", said
        tiny.stop_loop()
        yield tiny
    finally:
        tiny.call("down", "--json")
        assert running_from(tiny) == []


def test_live_and_dev_answer_and_do_not_share_their_data(town: Town) -> None:
    assert ask(town.live_port, "/count") == ask(town.dev_port, "/count")
    before = ask(town.dev_port, "/count")
    ask(town.live_port, "/notes", {"tag": "home", "text": "a visitor's"})
    assert ask(town.live_port, "/count") == before + 1 and ask(town.dev_port, "/count") == before


def test_a_second_up_adopts_what_runs(town: Town) -> None:
    before = {port: port_holder(port) for port in (town.live_port, town.dev_port)}
    said = town.call("up", "--json")
    town.stop_loop()
    assert said.exit_code == 0 and {port: port_holder(port) for port in before} == before
    assert said.data["operator_link"] is None


def test_health(town: Town) -> None:
    found = town.call("health", "--json").data
    assert 0 < found["score"] <= 100 and (found["live"], found["dev"]) == ("ok", "ok")
    assert found["services"]["app"]["word"] == "ok" and found["disk_free"] > 0
    assert town.call("status", "--json").data["health"]["score"] == found["score"]


def test_a_look_for_findings(town: Town) -> None:
    found = town.call("analyze", "--json").data
    assert found["failed_detectors"] == []
    headers = [each for each in found["findings"] if each["cause"] == "missing-security-headers"]
    assert len(headers) == 1 and len(found["proposed"]) == len(found["findings"])
    assert town.call("analyze", "--json").data["proposed"] == []
    listed = town.call("findings", "--json").data["findings"]
    assert {each["fingerprint"] for each in listed} == {each["fingerprint"] for each in found["findings"]}


def test_a_rejected_idea_comes_back_once_its_time_is_over(town: Town) -> None:
    name = next(each["id"] for each in town.call("status", "--json").data["improvements"]
                if each["id"].startswith("missing-security-headers"))
    with closing(town.store()) as store:
        before = store.improvement(name)
        asked = replace(before, status=Status.AWAITING_APPROVAL, digest="d" * 64, version=before.version + 1)
        store.save(before, asked, "test")
        assert town.act("reject", name, "--because", "not-now", "--digest", asked.digest).exit_code == 0
        assert town.call("analyze", "--json").data["proposed"] == []
        rejected = store.improvement(name)
        assert rejected.rejection
        over = replace(rejected.rejection, until=time.time() - 1)
        store.save(rejected, rejected.note(rejection=over), "test")
        assert [each["id"] for each in town.call("analyze", "--json").data["proposed"]] == [f"{name}-2"]


def test_every_step_to_live_and_back(town: Town) -> None:
    with closing(town.store()) as store:
        store.connection.execute("DELETE FROM improvements")
        store.record_findings([replace(FINDING, place="app/notes.db:notes(text)", title="another side")], "0" * 40)
    town.plant(Status.PROPOSED)
    rows = ask(town.live_port, "/count")
    assert town.call("generate", "--json").data["improvement"]["status"] == "GENERATED"
    tested = town.call("test", "--json").data["improvement"]
    assert tested["status"] == "VERIFIED" and {
        each["verdict"] for each in tested["checks"] if each["name"] != "replay"} == {"passed"}, "nobody visits it"
    assert tested["also"] == ["another side"] and tested["approach"] == "index_migration"
    (other,) = town.call("findings", "--json").data["findings"]
    assert (other["improvement"], other["reason"]) == (None, "index mends it too")
    assert town.call("request-approval", "--json").data["improvement"]["status"] == "AWAITING_APPROVAL"
    for verb in ("generate", "test", "request-approval"):
        assert town.call(verb, "index", "--json").data["improvement"]["status"] == "AWAITING_APPROVAL"
    shown = town.call("show", "index", "--json").data
    assert "CREATE INDEX IF NOT EXISTS notes_by_tag" in shown["diff"] and len(shown["digest"]) == 64
    assert town.call("preview", "--json").data["improvement"] == "index"
    assert town.act("deploy", "index").exit_code == 3
    assert town.act("approve", "index", "--digest", shown["digest"]).data["improvement"]["status"] == "APPROVED"
    deployed = town.act("deploy").data["deployment"]
    assert deployed["status"] == "COMMITTED" and deployed["adds"] == ["index"]
    assert town.found().status is Status.LIVE and ask(town.live_port, "/count") == rows
    assert town.git("rev-parse", "aiimprove/live") == town.found().commit
    assert town.act("deploy", "index").data["deployment"] is None
    assert town.act("deploy").data["deployment"] is None
    ask(town.live_port, "/notes", {"tag": "home", "text": "written on the new one"})
    assert town.act("rollback").data["deployment"]["reason"] == "rollback"
    assert town.found().status is Status.ROLLED_BACK and ask(town.live_port, "/count") == rows + 1
    assert town.act("rollback").data["deployment"] is None
    assert town.call("status", "--json").data["live_release"] == deployed["replaces"]
    assert town.call("audit", "--verify", "--json").data["verified"] is True
    assert town.git("status", "--porcelain") == "" and town.git("rev-parse", "--abbrev-ref", "HEAD") == "main"


def test_a_commit_of_ones_own(town: Town) -> None:
    live = town.call("status", "--json").data["live_release"]
    town.edit("app/app.py", '"no such page"', '"nothing is here"')
    assert town.act("deploy", "HEAD").data["deployment"] is None
    commit = town.commit({})
    done = town.act("deploy", "HEAD").data["deployment"]
    assert done["replaces"] == live and commit[:12] in done["release"] and done["status"] == "COMMITTED"
    assert town.act("deploy", "HEAD").data["deployment"] is None


def test_a_commit_that_lacks_what_is_live(town: Town) -> None:
    town.git("checkout", "-q", "-b", "other", "HEAD~1")
    town.commit({"app/other.py": "x = 1\n"})
    said = town.act("deploy", "other")
    town.git("checkout", "-q", "main")
    assert said.exit_code == 3 and "'git merge aiimprove/live' first" in said.error["message"]


@pytest.mark.parametrize(("old", "new", "code", "words"), [
    ('"/health"', '"/healthy"', 4, "start"), ("LIMIT 20", "LIMIT 1", 4, "tests"),
    ("import json\n", "import json\nimport nowhere\n", 4, "start")], ids=["never healthy", "broken", "does not start"])
def test_a_bad_commit_never_gets_live(town: Town, old: str, new: str, code: int, words: str) -> None:
    before = town.call("status", "--json").data
    head = town.git("rev-parse", "HEAD")
    town.edit("app/app.py", old, new)
    town.commit({})
    said = town.act("deploy", "HEAD")
    town.git("reset", "-q", "--hard", head)
    assert said.exit_code == code and words in said.error["message"], said
    after = town.call("status", "--json").data
    assert (after["live_release"], after["deploying"]) == (before["live_release"], None)
    assert ask(town.live_port, "/notes?tag=home")


def test_a_deploy_while_another_is_under_way(town: Town) -> None:
    head = town.git("rev-parse", "HEAD")
    town.commit({"app/more.py": "x = 1\n"})
    release = town.call("status", "--json").data["live_release"]
    first = town.start("deploy", "HEAD", "--token-stdin", "--json")
    assert first.stdin
    first.stdin.write(town.token)
    first.stdin.close()
    deadline = time.monotonic() + 60
    with closing(town.store()) as store:
        while holder(store, "deploy") is None:
            assert time.monotonic() < deadline and first.poll() is None
    said = town.act("rollback", "--to", release)
    assert said.exit_code in (0, 6), said
    if said.exit_code == 6:
        assert f"process {first.pid}" in said.error["message"]
    assert first.wait(60) in (0, 5) and first.stdout and first.stderr
    first.stdout.close()
    first.stderr.close()
    assert ask(town.live_port, "/count") and town.call("status", "--json").data["deploying"] is None
    town.git("reset", "-q", "--hard", head)


def test_a_killed_deploy_is_finished_or_undone_by_the_next_command(town: Town) -> None:
    town.git("reset", "-q", "--hard", "aiimprove/live")
    before = town.call("status", "--json").data["live_release"]
    town.commit({"app/killed.py": "x = 1\n"})
    deploy = town.start("deploy", "HEAD", "--token-stdin", "--json")
    assert deploy.stdin and deploy.stdout and deploy.stderr
    deploy.stdin.write(town.token)
    deploy.stdin.close()
    deadline = time.monotonic() + 180
    while town.call("status", "--json").data["deploying"] is None:
        assert time.monotonic() < deadline and deploy.poll() is None
    deploy.send_signal(signal.SIGKILL)
    deploy.wait()
    deploy.stdout.close()
    deploy.stderr.close()
    assert ask(town.live_port, "/count")
    again = town.act("deploy", "HEAD")
    assert again.exit_code == 0, again
    found = town.call("status", "--json").data
    assert found["deploying"] is None and found["live_release"] != before and ask(town.live_port, "/count")


def test_locked_deploys_use_up_no_attempt(town: Town) -> None:
    """An approved improvement whose deployment has to wait is as it was."""
    town.git("reset", "-q", "--hard", "aiimprove/live")
    live = town.call("status", "--json").data["live_release"]
    with closing(town.store()) as store:
        artifact = store.release(live).artifact
        town.plant(Status.APPROVED, "waits", release=live, artifact=artifact,
                   approval=Approval("anna", "d" * 64, time.time()))
        with held(store, "deploy", "something else"):
            codes = [town.act("deploy", "waits").exit_code for _ in range(4)]
        found = store.improvement("waits")
        assert codes == [6] * 4 and found.status is Status.APPROVED and found.attempts == 0
        store.save(found, found.advance(Status.REJECTED), "test")


def test_the_logs(town: Town) -> None:
    found = town.call("logs", "--json").data["logs"]
    assert {"ai_system", "gateway", "live_app", "dev_app"} <= set(found) and found["ai_system"]
    assert town.call("logs", "ai_system", "-n", "3", "--json").data["logs"]["ai_system"] == \
        town.call("logs", "ai_system", "-n", "3").output.splitlines()
    follow = town.start("logs", "ai_system", "-f", "-n", "1")
    assert follow.stdout and follow.stdout.readline()
    follow.send_signal(signal.SIGINT)
    follow.communicate(timeout=20)
    assert follow.returncode in (130, -signal.SIGINT)


def test_killing_the_loop_does_not_disturb_live_and_down_leaves_nothing(tmp_path: Path) -> None:
    tiny = Tiny(tmp_path)
    assert tiny.call("up", "--json").exit_code == 0
    try:
        deadline = time.monotonic() + 30
        with closing(tiny.store()) as store:
            while (loop := holder(store, "run")) is None:
                assert time.monotonic() < deadline
            loop.process.signal(signal.SIGKILL)
            assert ask(tiny.live_port, "/count") == 3
            while (again := holder(store, "run")) is None or again.process == loop.process:
                assert time.monotonic() < deadline + 30
        assert tiny.call("status", "--json").data["running"] is True
        locked = tiny.call("run", "--once", "--json")
        assert locked.exit_code == 6 and str(again.process.pid) in locked.error["message"]
    finally:
        stopped = tiny.call("down", "--json").data["stopped"]
    assert {"loop", "gateway"} <= set(stopped) and running_from(tiny) == []
    assert [port_holder(port) for port in (tiny.live_port, tiny.dev_port)] == [None, None]
    assert tiny.call("up", "--json").exit_code == 0 and ask(tiny.live_port, "/count") == 3
    assert tiny.call("down", "--json").exit_code == 0 and running_from(tiny) == []
