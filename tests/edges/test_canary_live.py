"""Real candidates beside a real release: good, failing, dying, and one of which nobody learns enough."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import pytest
from tiny import Tiny

from aiimprove import build, rollout
from aiimprove.canary_steps import NoVerdict
from aiimprove.errors import ReleaseFailed
from aiimprove.improvement import Status
from aiimprove.release import Deployment, DeploymentStatus

ANSWER = "            self.answer(200, with_tag("
WITH_A_TAG = '            if "tag=" in address.query:\n                {does}\n' + ANSWER


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    """The app, live, with a canary in two steps."""
    tiny = Tiny(tmp_path_factory.mktemp("town"))
    _configured(tiny, "[deploy]", '[deploy]\ncanary_steps = [20, 50]\ncanary_seconds = 40\ninconclusive = "abort"')
    try:
        assert tiny.call("up", "--without-loop").exit_code == 0
        yield tiny
    finally:
        assert tiny.call("down").exit_code == 0


def _configured(tiny: Tiny, old: str, new: str) -> None:
    tiny.edit("config.toml", old, new)
    tiny.commit({})


@dataclass
class Visitors:
    """One after the other, each with a cookie jar of his own, never asking twice."""

    port: int
    statuses: list[int] = field(default_factory=list)
    lost: list[Exception] = field(default_factory=list)

    @contextmanager
    def asking(self, pause: float, path: str = "/notes?tag=home") -> Iterator[None]:
        over = threading.Event()

        def ask() -> None:
            while not over.wait(pause):
                self.ask(path)

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def ask(self, path: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.request("GET", path)
            self.statuses.append(connection.getresponse().status)
        except (OSError, http.client.HTTPException) as error:
            self.lost.append(error)
        finally:
            connection.close()


def _put(tiny: Tiny, does: str, *adds: str) -> Deployment:
    """A release that does something else when it is asked for a tag, without the proof that it would not pass."""
    workspace = tiny.workspace()
    with closing(workspace.store):
        tiny.git("checkout", "-q", "--detach", str(workspace.store.fact("live_commit")))
        tiny.edit("app/app.py", ANSWER, WITH_A_TAG.format(does=does))
        commit = tiny.commit({})
        tiny.git("checkout", "-q", "main")
        made = build.build(workspace.config, workspace.repository, commit, workspace.box, str)
        return rollout.put_live(workspace, rollout.Order(made, adds=adds))


def _last(tiny: Tiny) -> tuple[Deployment, dict[str, float]]:
    """The last deployment, and when it reached each status."""
    with closing(tiny.store()) as store:
        row = store.connection.execute("SELECT id FROM deployments ORDER BY started DESC LIMIT 1").fetchone()
        events = store.connection.execute("SELECT name, at FROM events WHERE subject = ?", row).fetchall()
        return store.deployment(row[0]), {name.removeprefix("deployment."): at for name, at in events}


def _judged(tiny: Tiny) -> dict[str, object]:
    with closing(tiny.store()) as store:
        rows = store.connection.execute("SELECT body FROM events WHERE name = 'canary.judged' ORDER BY at").fetchall()
        return dict(json.loads(rows[-1][0]))


@pytest.mark.parametrize("does", ['return self.answer(500, "bad")', "os._exit(1)", "os.kill(os.getpid(), 19)"],
                         ids=["answers 500", "dies", "does not answer any more"])
def test_a_broken_candidate_is_gone_at_once_and_no_reader_sees_it(town: Tiny, does: str) -> None:
    visitors = Visitors(town.live_port)
    for _ in range(60):
        visitors.ask("/notes?tag=home")
    with visitors.asking(0.02), visitors.asking(0.02), pytest.raises(ReleaseFailed) as failed:
        _put(town, does)
    deployment, at = _last(town)
    assert deployment.status is DeploymentStatus.ABORTED and deployment.message in str(failed.value)
    assert at["aborted"] - at["canary"] < 8, "two seconds, and the way back on a machine that does other things too"
    assert set(visitors.statuses) == {200} and len(visitors.statuses) > 80 and visitors.lost == []
    reasons = ("were bad", "died", "health failed", "has not answered")
    assert any(each in deployment.message for each in reasons)


def test_without_a_verdict_it_goes_back_and_may_be_tried_again(town: Tiny) -> None:
    visitors = Visitors(town.live_port)
    for _ in range(20):
        visitors.ask("/notes?tag=home")
    before, name = _live(town), town.plant(Status.APPROVED, "waits").id
    _configured(town, "canary_seconds = 40", "canary_seconds = 3")
    try:
        with visitors.asking(0.2), pytest.raises(NoVerdict, match=r"about \d+ requests are missing"):
            _put(town, "pass", name)
        judged, (deployment, _) = _judged(town), _last(town)
        assert (judged["verdict"], judged["therefore"]) == ("inconclusive", "abort") and judged["missing"]
        assert deployment.message.startswith(f"release {deployment.release} was taken back without a verdict")
        with closing(town.store()) as store:
            assert store.improvement(name).status is Status.APPROVED
            said = [each.body.get("message", "") for each in store.events(name)]
        assert any(each.startswith("canary inconclusive, therefore abort") for each in said), said
        _configured(town, '"abort"', '"promote"')
        assert "canary: promoted without a verdict" in _while_deploying(town, visitors)
        assert _judged(town)["therefore"] == "promote" and _live(town) != before
    finally:
        _configured(town, "canary_seconds = 3", "canary_seconds = 40")


def _while_deploying(town: Tiny, visitors: Visitors) -> str:
    """A good release is deployed; what the event of its promotion says. `status` says what is known meanwhile."""
    said: list[object] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.3):
            now = town.call("status", "--json").data["deploying"]
            said.append(now and now["judgement"])

    thread = threading.Thread(target=look)
    thread.start()
    try:
        with visitors.asking(0.2):
            deployment = _put(town, f'"{time.time()}"')
    finally:
        over.set()
        thread.join()
    known = [each for each in said if isinstance(each, dict) and each["verdict"]]
    assert known and {each["verdict"] for each in known} <= {"inconclusive", "passed"}
    assert "replayed" in known[-1]["why"]
    with closing(town.store()) as store:
        row = store.connection.execute("SELECT body FROM events WHERE subject = ? AND name = 'deployment.watching'",
                                       (deployment.id,)).fetchone()
        return str(json.loads(row[0])["message"])


def _live(town: Tiny) -> str:
    return str(town.call("status", "--json").data["live_release"])


@pytest.mark.slow
def test_a_good_candidate_passes_with_few_visitors(town: Tiny) -> None:
    visitors = Visitors(town.live_port)
    for _ in range(40):
        visitors.ask("/notes?tag=home")
        visitors.ask("/count")
    with visitors.asking(0.5):
        deployment = _put(town, f'"{time.time()} good"')
    judged, (_, at) = _judged(town), _last(town)
    assert deployment.status is DeploymentStatus.COMMITTED and judged["verdict"] == "passed", judged
    assert at["watching"] - at["canary"] < 40 and set(visitors.statuses) == {200} and visitors.lost == []
