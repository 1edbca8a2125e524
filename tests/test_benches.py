"""The benches run, keep their contract, and the figures that are cheap to take hold."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from bundled_site import adjusted

from bench.figures import Figures, Target, percentile

if TYPE_CHECKING:
    from bench.site import Site

FOLDER = Path(__file__).parents[1] / "bench"
SCRIPTS = {file.stem: file.read_text() for file in FOLDER.glob("*.py")}
BENCHES = sorted(name for name, text in SCRIPTS.items() if "__main__" in text and "bench.figures" in text)
CHEAP = ("startup",)
ON_A_SITE = ("deploys",)


def bench(name: str, *words: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(FOLDER / f"{name}.py"), *words], capture_output=True, text=True,
                          timeout=seconds)


def written(name: str, folder: Path, seconds: float) -> dict[str, Any]:
    """What a short run wrote, checked against the contract."""
    done = bench(name, "--short", "--json", str(folder / "figures.json"), seconds=seconds)
    assert done.returncode in (0, 1) and "Traceback" not in done.stderr, done.stderr[-2000:]
    found: dict[str, Any] = json.loads((folder / "figures.json").read_text())
    assert found["bench"] == name and found["rows"] and found["targets"]
    for target in found["targets"]:
        assert set(target) == {"name", "value", "bound", "holds"}
        assert target["holds"] is (target["value"] <= target["bound"])
        assert target["name"] in done.stdout
    assert done.returncode == (0 if all(target["holds"] for target in found["targets"]) else 1)
    return found


def test_there_is_a_bench_for_every_published_figure() -> None:
    assert BENCHES == ["aa", "canary", "cycles", "deaths", "deploys", "gateway", "idle", "judge", "kills", "peers",
                       "power", "proof_impact", "ship", "startup"]


@pytest.mark.parametrize("name", BENCHES)
def test_says_what_it_measures_and_how_it_is_run(name: str) -> None:
    done = bench(name, "--help")
    assert done.returncode == 0 and "--short" in done.stdout and "--json FILE" in done.stdout
    assert len(done.stdout.partition("options:")[0].splitlines()) > 4, "it says too little"


def test_the_judge_takes_right_fixes_and_no_wrong_patch_and_no_cheat(tmp_path: Path) -> None:
    found = written("judge", tmp_path, 300)
    assert [target["name"] for target in found["targets"] if not target["holds"]] == []


SUMS = "def both(one, two):\n    unused = 5\n    if one is None:\n        return {}\n    return one + two\n"
SUMS_TESTS = """
import unittest
from tornado.sums import both

class SumsTest(unittest.TestCase):
    def test_both(self): self.assertEqual(both(1, 2), 3)
    def test_even(self): self.assertEqual(both(2, 0), 2)
    def test_more(self): self.assertEqual(both(2, 2), 4)
    def test_nothing(self): self.assertIsNone(both(None, 2))
    def test_never(self): self.fail()
"""


@pytest.fixture
def made_up(tmp_path: Path) -> tuple[Path, Path]:
    """A checkout of BugsInPy with two bugs, and the repository that they speak of; nothing shows the second one."""
    from bench.judge_ground import GIT_ENV

    home, commits = tmp_path / "tornado", []
    git = ["git", "-C", str(home), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    (home / "tornado" / "test").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(home)], check=True, env=GIT_ENV)
    for answer, tests in (("0", "import unittest\n"), ("None", SUMS_TESTS)):
        for path, text in (("__init__.py", ""), ("sums.py", SUMS.format(answer)), ("test/__init__.py", ""),
                           ("test/sums_test.py", tests)):
            (home / "tornado" / path).write_text(text)
        subprocess.run([*git, "add", "-A"], check=True, env=GIT_ENV)
        subprocess.run([*git, "commit", "-q", "-m", "one more"], check=True, env=GIT_ENV)
        commits.append(subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip())
    for number, name in ((1, "SumsTest.test_nothing"), (2, "SumsTest.test_never")):
        bug = tmp_path / "set" / "projects" / "tornado" / "bugs" / str(number)
        bug.mkdir(parents=True)
        (bug / "bug.info").write_text(f'buggy_commit_id="{commits[0]}"\nfixed_commit_id="{commits[1]}"\n'
                                      'test_file="tornado/test/sums_test.py"')
        (bug / "run_test.sh").write_text(f"python -m unittest -q tornado.test.sums_test.{name}\n")
    return tmp_path / "set", home


def test_a_bug_of_a_foreign_set_becomes_a_case(made_up: tuple[Path, Path], tmp_path: Path) -> None:
    from bench.judge_tornado import Case, bugs
    from bench.judge_unittests import LeftOut

    first, second = bugs(made_up[0])
    case = Case(first, made_up[1], tmp_path / "first")
    names = [f"tornado.test.sums_test.SumsTest.test_{each}" for each in ("both", "even", "more", "nothing")]
    assert case.shown_by == names[3:] and case.seen == names[:2] and case.unseen == names[2:3]
    assert case.right == {"tornado/sums.py": SUMS.format("None")} and b"unittest" in case.files[
        "app/tornado/test/sums_test.py"]
    wrong = dict(case.wrong())
    assert wrong.pop("as it was") == {"tornado/sums.py": SUMS.format("0") + "\n"}
    assert sorted(wrong) == ["tornado/sums.py:3 compares with isnot", "tornado/sums.py:5 answers nothing",
                             "tornado/sums.py:5 reckons with sub"], "the number that nobody uses is free"
    with pytest.raises(LeftOut, match="fail with the fix too"):
        Case(second, made_up[1], tmp_path / "second")


def test_the_same_code_is_not_faster_and_five_percent_is(tmp_path: Path) -> None:
    """Too few for the published figures; a single one that is missed by chance is no fault."""
    found = written("aa", tmp_path, 300)
    same, real = found["rows"]
    assert same["called faster"] == 0 and same["of"] == 2 and real["called faster"] >= 1, found["rows"]


def test_the_canarys_judge_holds_on_some_releases(tmp_path: Path) -> None:
    """Drawn anew the same way each time. The long form has enough good ones for the bound of 0.1 %."""
    found = written("canary", tmp_path, 120)
    assert all(target["holds"] for target in found["targets"]), found["targets"]
    ours, rules = found["rows"][1], found["rows"][-3:]
    assert 3 * ours["large that stay"] < min(row["large that stay"] for row in rules)
    assert found["rows"][0]["taken back"] == 0 and found["rows"][0]["undecided"] <= 4


def test_startup_holds(tmp_path: Path) -> None:
    found = written("startup", tmp_path, 300)
    cpu = [target for target in found["targets"] if "cpu" in target["name"]]
    assert len(cpu) == 2 and all(target["holds"] for target in cpu), found["targets"]


@pytest.mark.parametrize(("value", "holds"), [(2.5, True), (2.4, True), (2.6, False), (float("nan"), False)])
def test_a_target_is_the_most_that_a_value_may_be(value: float, holds: bool) -> None:
    assert Target("it", value, 2.5).holds is holds


def test_percentiles() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert [percentile(values, share) for share in (0.5, 0.99, 1.0)] == [50.0, 99.0, 100.0]
    assert percentile([7.0], 0.01) == 7.0 and percentile([], 0.5) != percentile([], 0.5)


@pytest.fixture
def fresh(site: Site) -> Iterator[Site]:
    """The bundled site, new, and new again afterwards."""
    for _ in range(2):
        site.reset()
        site.must("up", "--without-loop")
        site.add_operator()
        if _ == 0:
            yield site


@pytest.mark.site
def test_deploys_and_rollbacks_lose_nothing(fresh: Site) -> None:
    from bench.deploys import over

    with adjusted(fresh, deploy={"watch_seconds": 1.0}):
        figures: Figures = over(fresh, 4)
    lost, rows, *stalls = figures.targets
    assert lost.value == 0 and rows.value == 0
    longest = max(each.value for each in stalls)
    assert len(stalls) == 4 and longest < 2000, "the published bound is for a quiet machine; this one is for a test"
    switching = [row for row in figures.rows if row["window"] == "switching"]
    assert {row["kind"] for row in switching} >= {"GET", "POST", "page", "POST, 2 s upload", "slow download"}
    assert all(row["requests"] for row in switching)


def test_switches_under_every_kind_of_traffic_lose_nothing() -> None:
    from bench.deploys import over_talks
    from bench.talks_site import talks

    with talks(drain_seconds=1.0) as app:
        figures = over_talks(app, 20, 1.0, whole=2)
    lost, rows, *stalls = figures.targets
    assert lost.value == 0 and rows.value == 0 and max(each.value for each in stalls) < 2000
    met = {row["kind"] for row in figures.rows if row["window"] == "switching" and row["requests"]}
    assert met > {"talk: POST", "talk: POST of 5 MB", "talk: event stream", "talk: WebSocket"}


@pytest.mark.slow
@pytest.mark.site
@pytest.mark.parametrize("name", [each for each in BENCHES if each not in (*CHEAP, *ON_A_SITE, "kills")])
def test_short_form_keeps_the_contract(name: str, tmp_path: Path) -> None:
    written(name, tmp_path, 1800)
