"""Records that are damaged, clocks that jump, releases that lie or are gone, and two who want the same."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from struck import Struck, struck, until
from tiny import Tiny

from aiimprove.release import DeploymentStatus
from bench.small import Writer


@pytest.fixture
def app(tiny: Tiny) -> Iterator[Struck]:
    with struck(tiny) as found:
        yield found


# -- state --------------------------------------------------------------------------------------------------------

def _torn(file: Path, share: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:int(len(content) * share)])


def _garbled(file: Path, draw: random.Random) -> None:
    content = bytearray(file.read_bytes())
    for _ in range(40):
        at = draw.randrange(100, len(content) - 64)
        content[at:at + 64] = draw.randbytes(64)
    file.write_bytes(content)


def _damage(app: Struck, how: str, draw: random.Random) -> None:
    """Everything is in the file itself, then a part of it is gone or something else."""
    app.engine.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    app.engine.store.close()
    file = app.tiny.state / "state.db"
    for each in app.tiny.state.glob("state.db-*"):
        each.unlink()
    if how == "garbled":
        _garbled(file, draw)
    else:
        _torn(file, draw.random())


@pytest.mark.parametrize("how", ["torn", pytest.param("garbled", marks=pytest.mark.slow)])
def test_a_damaged_state_hurts_nobody_and_all_of_it_can_be_stopped(tiny: Tiny, how: str) -> None:
    seed = random.randrange(10_000)
    app = Struck(tiny)
    live = app.engine.live().id
    with Writer(tiny.live_port) as writer:
        _damage(app, how, random.Random(seed))
        for verb in ("status", "deploy", "rollback", "findings"):
            said = tiny.call(verb, "--json")
            assert "bug of ours" not in said.output + said.errors, (seed, said)
        assert app.answers(), seed
    assert app.lost(writer) == [] == writer.failed, seed
    assert tiny.call("down").exit_code == 0, seed
    assert not app.answers() and not app.engine.gateway.kept(), seed
    for each in tiny.state.glob("state.db*"):
        each.unlink()
    assert tiny.call("up", "--without-loop", "--json").data["live_release"] == live
    assert app.answers() and tiny.call("down").exit_code == 0


@pytest.mark.slow
def test_a_log_of_the_database_that_lost_its_end(app: Struck) -> None:
    """What was committed last may be gone with the power; what is left is whole, and the same command gets through."""
    name = app.approved()
    with app.waiting("os.remove watch.json", "deploy", name) as command:
        command.kill()
        command.wait()
        app.engine.store.close()
        wal = app.tiny.state / "state.db-wal"
        if wal.exists():
            _torn(wal, 0.9)
    del vars(app.engine)["store"]
    if not any(each.id == name for each in app.engine.store.improvements()):
        name = app.approved()
    app.through("deploy", name, tries=2)
    assert app.wrong() == []


# -- clocks -------------------------------------------------------------------------------------------------------

@pytest.mark.slow
def test_a_clock_that_goes_back_an_hour(app: Struck) -> None:
    """What came last is known all the same: a rollback returns to the release before, not to an earlier one."""
    app.through("deploy", app.approved())
    third = app.worse("app/app.py", '"no such page"', '"no page"')
    for words, wanted in ((("deploy", app.approved(third)), third), (("rollback",), app.second)):
        output, errors = app.faulty("early", 0, *words).communicate(timeout=60)
        assert app.engine.live().id == wanted.id, (words, output, errors)
        assert app.engine.store.deployments(limit=1)[0].status is DeploymentStatus.COMMITTED
    assert app.through("rollback").output.startswith("Already rolled back")
    assert app.wrong() == []


# -- releases -----------------------------------------------------------------------------------------------------

MAIN = 'if __name__ == "__main__":\n'
ASKED = '        if address.path == "/health":\n'
LIES = {
    "says yes, shows nothing": (ASKED, '        if address.path == "/count" and DATABASE.count("data/live"):\n'
                                '            self.answer(500, "no")\n' + ASKED),
    "dies after five probes": (ASKED, '        global asked\n        asked = globals().get("asked", 0) + 1\n'
                               '        if asked > 5 and DATABASE.count("data/live"): os._exit(3)\n' + ASKED),
}


@pytest.mark.slow
@pytest.mark.parametrize("lie", LIES)
def test_a_release_whose_health_lies(app: Struck, lie: str) -> None:
    worse = app.worse("app/app.py", *LIES[lie])
    with Writer(app.tiny.live_port) as writer:
        said = app.verb("deploy", app.approved(worse))
        assert said.exit_code == 5 and app.engine.live().id == app.first.id, said
    assert app.wrong() == [] and app.lost(writer) == []
    app.through("deploy", app.approved())
    assert app.wrong() == []


@pytest.mark.slow
def test_a_rollback_of_a_rollback(app: Struck) -> None:
    app.through("deploy", app.approved())
    with Writer(app.tiny.live_port) as writer:
        app.through("rollback")
        assert app.engine.live().id == app.first.id
        assert app.through("rollback").output.startswith("Already rolled back")
        app.through("rollback", "--to", app.second.id)
        assert app.engine.live().id == app.second.id
        app.through("rollback", "--to", app.first.id)
        assert app.engine.live().id == app.first.id and app.wrong() == []
    assert app.lost(writer) == [] == writer.failed


SLOW_WAYS = [pytest.param(how, marks=pytest.mark.slow) for how in ("torn", "without its files", "unhealthy")]


@pytest.mark.parametrize("how", ["pruned", *SLOW_WAYS])
def test_a_way_back_that_is_not_there(app: Struck, how: str) -> None:
    app.through("deploy", app.approved())
    folder, manifest = app.tiny.state / "releases" / app.first.id, "manifest.toml"
    artifact = app.tiny.state / "artifacts" / app.first.services["app"]
    if how == "pruned":
        shutil.rmtree(folder)
    elif how == "torn":
        assert (folder / manifest).is_file(), list(folder.iterdir())
        _torn(folder / manifest, 0.5)
    elif how == "without its files":
        shutil.rmtree(artifact)
    else:
        script = next(artifact.rglob("app.py"))
        script.chmod(0o600)
        script.write_text("raise SystemExit('broken')\n")
    with Writer(app.tiny.live_port) as writer:
        said = app.verb("rollback")
        assert said.exit_code in (3, 5, 7) and app.first.id in said.errors, said
        assert "bug of ours" not in said.errors
        assert app.engine.live().id == app.second.id and app.wrong() == []
    assert app.lost(writer) == [] == writer.failed


# -- two at once --------------------------------------------------------------------------------------------------

@pytest.mark.slow
def test_two_who_deploy_the_same(app: Struck) -> None:
    name = app.approved()
    with Writer(app.tiny.live_port) as writer:
        both = [app.faulty("none", 0, "deploy", name) for _ in range(2)]
        said = [each.communicate(timeout=60)[1] for each in both]
        codes = sorted(each.returncode for each in both)
        assert codes[0] == 0 and codes[1] in (0, 3, 6), (codes, said)
        assert app.engine.live().id == app.second.id and app.wrong() == []
    assert app.lost(writer) == [] == writer.failed


@pytest.mark.slow
def test_two_states_for_one_repository(app: Struck) -> None:
    """The second is told who has the ports, and takes nothing from the first."""
    other = {"AIIMPROVE_STATE": str(app.tiny.root / "other state")}
    said = app.tiny.call("up", "--without-loop", "--json", env=other)
    assert said.exit_code == 3 and str(app.tiny.live_port) in said.error["message"], said
    assert app.tiny.call("down", env=other).exit_code == 0
    assert app.wrong() == []


@pytest.mark.slow
def test_down_in_the_middle_of_a_proof(tiny: Tiny) -> None:
    app = Struck(tiny)
    proof = app.faulty("none", 0, "deploy", "HEAD")
    until(lambda: any(name.startswith("proof") for (name,) in app.engine.store.connection.execute(
        "SELECT name FROM leases WHERE until > 0")), 30, "nothing is proven")
    assert tiny.call("down").exit_code == 0
    assert proof.wait(30) == 130 and not app.engine.gateway.kept()
    assert tiny.call("up", "--without-loop").exit_code == 0
    assert app.engine.live().id == app.first.id and app.wrong() == [] and tiny.call("down").exit_code == 0
