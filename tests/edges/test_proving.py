from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from proof_shop import APP, FINDING, FIXED, MIGRATE, PYTHON, SERVICE, Shop

from aiimprove import landlock, process
from aiimprove.errors import MigrationFailed, NotHealthy
from aiimprove.evidence import Verdict
from aiimprove.probes import get
from aiimprove.proving import Copy, judge_digest, prove, running_copy
from aiimprove.sandbox import Box, find_box
from aiimprove.settings import EnvFiles, Proof
from aiimprove.snapshot import rows

BOX = find_box()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


def listeners(copy: Copy) -> list[int]:
    return [port for port in (int(url.rpartition(":")[2]) for url in copy.urls.values()) if process.port_holder(port)]


@pytest.mark.parametrize("box", [BOX, Box("landlock", landlock.__file__), Box("none")],
                         ids=lambda box: str(box.name))
def test_a_copy_runs_on_its_own_migrated_data_and_is_gone_afterwards(shop: Shop, tmp_path: Path, box: Box) -> None:
    with running_copy(shop.config, shop.baseline, shop.live, tmp_path, box) as copy:
        assert get(copy.urls["shop"] + "/count").json() == {"count": 2}
        assert rows(copy.data / "shop.db")["item"] == 2 and not (shop.live / "shop.db").exists()
        assert listeners(copy) and copy.alive() and copy.commit == shop.first
    assert not listeners(copy) and not copy.alive()


def test_two_copies_do_not_meet(shop: Shop, tmp_path: Path) -> None:
    with running_copy(shop.config, shop.baseline, shop.live, tmp_path / "a", BOX) as one, \
            running_copy(shop.config, shop.baseline, shop.live, tmp_path / "b", BOX) as two:
        assert one.urls != two.urls and one.data != two.data


def test_it_runs_at_the_lowest_priority_or_as_the_config_says(shop: Shop, tmp_path: Path) -> None:
    assert Proof().nice == 19
    for nice in (19, 10):
        config = shop.configured(proof=Proof(nice=nice))
        with running_copy(config, shop.baseline, shop.live, tmp_path / str(nice), BOX) as copy:
            holder = process.port_holder(int(copy.urls["shop"].rpartition(":")[2]))
            assert holder is not None and os.getpriority(os.PRIO_PROCESS, holder[1]) == nice


def test_it_gets_the_environment_for_development_only(shop: Shop, tmp_path: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "ours")
    for name in ("live", "dev"):
        (tmp_path / name).write_text(f"SHOP_KEY=for-{name}\n")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra" / "sitecustomize.py").write_text(
        "import json, os\nprint(json.dumps(dict(os.environ)), flush=True)\n")
    own = replace(SERVICE, env={**SERVICE.env, "PYTHONPATH": "{folder}/src"})
    config = shop.configured(env_file=EnvFiles(str(tmp_path / "live"), str(tmp_path / "dev")), services={"shop": own})
    extra = {"shop": {"PYTHONPATH": str(tmp_path / "extra"), "RECORD": "1"}}
    bare = replace(shop.baseline, settings={})
    with running_copy(config, bare, shop.live, tmp_path / "work", BOX, env=extra) as copy:
        seen = json.loads(copy.logs["shop"].read_text().splitlines()[0])
    assert (seen["SHOP_KEY"], seen["RECORD"], seen["SHOP_DB"]) == ("for-dev", "1", str(copy.data / "shop.db"))
    assert "SECRET" not in seen
    extra_path, own_path = seen["PYTHONPATH"].split(os.pathsep)
    assert extra_path == str(tmp_path / "extra") and own_path.endswith("/src") and "{" not in own_path


def test_one_that_ends_at_once_says_why(shop: Shop, tmp_path: Path) -> None:
    case = shop.case({"shop/app.py": "raise SystemExit('no such table: things')\n"})
    with pytest.raises(NotHealthy, match="no such table: things"), \
            running_copy(shop.config, case.candidate, shop.live, tmp_path, BOX):
        pytest.fail("it was never healthy")


def test_one_that_never_answers_is_ended(shop: Shop, tmp_path: Path) -> None:
    config = shop.configured(deploy=replace(shop.config.deploy, start_seconds=1),
                             services={"shop": replace(SERVICE, start=[PYTHON, "-c", "import time; time.sleep(60)"])})
    with pytest.raises(NotHealthy, match="not healthy after 1 seconds"), \
            running_copy(config, replace(shop.baseline, settings={}), shop.live, tmp_path, BOX):
        pytest.fail("it was never healthy")


def test_a_migration_that_fails(shop: Shop, tmp_path: Path) -> None:
    case = shop.case({"shop/migrate.py": "raise SystemExit('locked')\n"})
    with pytest.raises(MigrationFailed, match="locked"), \
            running_copy(shop.config, case.candidate, shop.live, tmp_path, BOX):
        pytest.fail("it was not migrated")


INTERRUPTED = """
import sys, time
sys.path[:0] = {path!r}
from pathlib import Path
from proof_shop import Shop
from aiimprove.proving import running_copy
shop = Shop(Path(sys.argv[1]))
with running_copy(shop.config, shop.baseline, shop.live, Path(sys.argv[1]) / "work", shop.box) as copy:
    print(copy.urls["shop"], flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_when_we_are_ended(tmp_path: Path, number: int) -> None:
    ours = subprocess.Popen([sys.executable, "-c", INTERRUPTED.format(path=sys.path), str(tmp_path)],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert ours.stdout is not None
    port = int(ours.stdout.readline().strip().rpartition(":")[2])
    holder = process.port_holder(port)
    assert holder is not None
    service = process.Identity.of(holder[1])
    ours.send_signal(number)
    ours.wait(20)
    assert service is None or service.wait(5.0)
    assert process.port_holder(port) is None


class TestProof:
    def test_a_candidate_that_does_not_start_has_failed(self, shop: Shop) -> None:
        evidence = prove(shop.case({"shop/app.py": "import nothing_there\n"}))
        assert evidence.verdict is Verdict.FAILED
        assert evidence.checks[0].name == "start" and "nothing_there" in evidence.checks[0].summary

    def test_a_live_version_that_does_not_start_is_no_verdict(self, shop: Shop) -> None:
        case = shop.case({"shop/app.py": FIXED})
        broken = shop.case({"shop/app.py": "import nothing_there\n"})
        assert prove(replace(case, baseline=broken.candidate)).verdict is Verdict.ERRORED

    def test_a_candidate_that_ends_midway_has_failed(self, shop: Shop) -> None:
        dying = APP.replace("raise OverflowError(page)", "os._exit(1)")
        evidence = prove(replace(shop.case({"shop/app.py": dying}), checks=("probe", "smoke")))
        assert evidence.verdict is Verdict.FAILED
        assert "the candidate ended while it was looked at" in evidence.checks[-1].summary

    def test_a_commit_of_a_human_needs_no_finding(self, shop: Shop) -> None:
        evidence = prove(shop.case({"shop/app.py": FIXED, "shop/requirements.txt": "# none"}, None))
        assert evidence.verdict is Verdict.PASSED
        assert {check.name for check in evidence.checks} == {"smoke", "contract", "migration", "speed", "resources",
                                                           "replay", "rollback", "tests"}
        assert "the check named probe" in evidence.not_checked

    def test_both_start_from_one_moment_of_the_data(self, shop: Shop) -> None:
        case = shop.case({"shop/app.py": FIXED, "shop/migrate.py": MIGRATE + "\n"})
        prove(replace(case, checks=("smoke",)))
        assert not (shop.live / "shop.db").exists()
        assert rows(case.work / "baseline/data/shop.db") == rows(case.work / "candidate/data/shop.db")

    def test_an_interrupt_leaves_nothing_running(self, shop: Shop) -> None:
        def interrupt(said: str) -> None:
            if said == "checking: smoke":
                assert len(_children()) == len(before) + 2
                raise KeyboardInterrupt

        case = replace(shop.case({"shop/app.py": FIXED}), progress=interrupt, checks=("smoke",))
        before = _children()
        with pytest.raises(KeyboardInterrupt):
            prove(case)
        assert _children() == before


def test_the_judge_is_known_by_code_and_limits(shop: Shop) -> None:
    assert judge_digest(shop.config) == judge_digest(replace(shop.config, name="other"))
    assert judge_digest(shop.config) == judge_digest(replace(shop.config, proof=replace(shop.config.proof, nice=19)))
    assert judge_digest(shop.config) != judge_digest(replace(shop.config, proof=Proof(pairs=31)))


def test_a_proof_says_what_it_did_not_look_at(shop: Shop) -> None:
    case = replace(shop.case({"shop/app.py": FIXED}), checks=("smoke",), box=Box("none"))
    evidence = prove(case)
    assert "what the candidate does to this machine (the box here is: none)" in evidence.not_checked
    assert evidence.made <= time.time() and evidence.probe == FINDING.probe.digest()


def _children() -> set[str]:
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())
