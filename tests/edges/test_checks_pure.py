"""The judgements inside the checks, without a running copy."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aiimprove.checks.contract import is_the_fix
from aiimprove.checks.gain import SURE, TRIALS, Claim, Trial
from aiimprove.checks.interface import Break, breaks
from aiimprove.checks.junit import Results, read_report
from aiimprove.checks.paired import interval, shift, signed_rank
from aiimprove.checks.pairs import LEAST_MS, Figures
from aiimprove.checks.resources import Look
from aiimprove.checks.scope import objections
from aiimprove.checks.sizes import other_sizes
from aiimprove.checks.tests import ServiceTests
from aiimprove.evidence import Verdict
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.openapi import routes
from aiimprove.proving import Case
from aiimprove.settings import Config, Proof, Service
from aiimprove.tree import Change

API = Service(folder="api", tests="checks", migrations="migrations", lock_files=["deps.lock"])
CONFIG = Config(services={"api": API}, proof=Proof(protected=["api/payments/*"]))
FINDING = Finding("d", Kind.BUG, "c", "p", "t", "s", Probe("http", "api", {}, {}))


@pytest.fixture
def shop_case(tmp_path: Path) -> Case:
    nothing: Any = None
    return Case(CONFIG, nothing, FINDING, nothing, nothing, tmp_path, tmp_path, nothing, print)


def change(path: str, status: str = "M", added: int = 3, removed: int = 1, binary: bool = False,
           before: str = "100644", after: str = "100644") -> Change:
    return Change(path, status, added, removed, binary, before, after)


@pytest.mark.parametrize(("operation", "place", "bound", "wanted"), [
    ("GET /a", "query page", "maximum", True), ("GET /a", "query size", "minimum", True),
    ("PUT /b", "body size", "maximum", True), ("PUT /c", "body size", "maximum", False),
    ("PUT /b", "body page", "maximum", False), ("GET /a", "query other", "maximum", False),
    ("GET /a", "query page", "", False)])
def test_bounds_on_what_crashes_are_the_fix_and_nothing_else_is(
        operation: str, place: str, bound: str, wanted: bool) -> None:
    found = replace(FINDING, details={"method": "GET", "route": "/a", "siblings": [["PUT /b", "size"]],
                                      "parameters": [{"parameter": "page"}, {"parameter": "size"}]})
    assert is_the_fix(Break(operation, place, "said", bound), found) is wanted


@pytest.mark.parametrize("before", [Results({}), Results({"a::b": "failed"}), Results(problem="no report")])
def test_tests_that_pass_nowhere_decide_nothing(before: Results, monkeypatch: pytest.MonkeyPatch,
                                                shop_case: Case) -> None:
    monkeypatch.setattr(ServiceTests, "_before", lambda _: before)
    assert ServiceTests(shop_case, "api").judge()[0] is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("named", "path", "counts"), [
    ("checks", "api/checks/test_new.py", True), ("checks", "api/test_new.py", False),
    ("test_all.py", "api/test_new.py", True), ("", "api/test_new.py", True), ("", "api/deep/test_new.py", True),
    ("test_all.py", "api/deep/test_new.py", False), ("", "web/test_new.py", False),
    ("test_all.py", "api/new.py", False), ("checks", "api/checks/conftest.py", False)])
def test_new_tests_are_run_where_the_others_stand(named: str, path: str, counts: bool, shop_case: Case) -> None:
    config = Config(services={"api": replace(API, tests=named)})
    case = replace(shop_case, config=config)
    object.__setattr__(case, "changes", [change(path, "A")])
    assert (path in ServiceTests(case, "api").added()) is counts


class TestScope:
    @pytest.mark.parametrize("allowed", [
        change("api/main.py"), change("api/checks/test_new.py", "A"), change("web/app.tsx"), change("docs/x.md"),
        change("api/hooks/useThing.ts"), change("commands/run.py"), change("api/main.py", "M", after="100755",
                                                                           before="100755"),
    ], ids=lambda each: each.path)
    def test_the_apps_own_code_and_new_tests(self, allowed: Change) -> None:
        assert list(objections([allowed], CONFIG, FINDING)) == []

    @pytest.mark.parametrize("path", [
        ".github/workflows/x.yml", ".gitlab-ci.yml", ".ci/run", "justfile", ".husky/pre-commit", "api/sitecustomize.py",
        "api/x.pth", ".gitignore", "web/.gitattributes", ".gitmodules", "config.toml",
        "web/app/api/ai-approve/route.ts",
        "web/lib/aiimprove.ts", "web/components/AIApprovalButton.tsx", "api/requirements-dev.txt", "web/package.json",
        "pyproject.toml", "api/deps.lock", "AGENTS.md", "web/CLAUDE.md", ".claude/settings.json", "api/conftest.py",
        "api/pytest.ini", "web/vitest.config.ts", "api/payments/card.py", "Dockerfile",
    ])
    def test_what_judges_or_builds_it(self, path: str) -> None:
        assert list(objections([change(path)], CONFIG, FINDING)) != []
        assert list(objections([change(path, "A")], CONFIG, FINDING)) != []

    @pytest.mark.parametrize("path", ["aiimprove/policy.py", "commands/app.py", "start_ai_system.sh"])
    def test_the_engine_where_it_stands(self, path: str) -> None:
        assert list(objections([change(path)], CONFIG, FINDING, engine=True)) == [f"{path} belongs to aiimprove itself"]

    @pytest.mark.parametrize(("odd", "said"), [
        (change("api/x", "A", after="120000"), "is a link"), (change("api/x", "A", after="160000"), "is a submodule"),
        (change("api/x", "A", after="100755", before="000000"), "becomes executable"),
        (change("api/x", after="100755"), "becomes executable"), (change("api/x", binary=True), "is binary"),
    ])
    def test_odd_files(self, odd: Change, said: str) -> None:
        assert [each for each in objections([odd], CONFIG, FINDING) if said in each] == [f"api/x {said}"]

    @pytest.mark.parametrize(("path", "status", "count"), [
        ("api/checks/test_old.py", "M", 1), ("api/checks/test_old.py", "D", 1), ("web/a.test.ts", "M", 1),
        ("api/checks/test_new.py", "A", 0)])
    def test_tests_that_were_there_before(self, path: str, status: str, count: int) -> None:
        said = list(objections([change(path, status)], CONFIG, FINDING))
        assert said == [f"{path} is a test that was there before"] * count

    @pytest.mark.parametrize(("cause", "status", "said"), [
        ("missing-index", "A", []), ("c", "A", ["is a migration, and what was found needs none"]),
        ("missing-index", "M", ["is a migration that was there before"])])
    def test_migrations(self, cause: str, status: str, said: list[str]) -> None:
        path = "api/migrations/0002.sql"
        found = list(objections([change(path, status)], CONFIG, replace(FINDING, cause=cause)))
        assert found == [f"{path} {each}" for each in said]

    def test_limits(self) -> None:
        assert list(objections([], CONFIG, FINDING)) == ["nothing was changed"]
        assert list(objections([change(f"api/{n}.py") for n in range(8)], CONFIG, FINDING)) == []
        assert list(objections([change(f"api/{n}.py") for n in range(9)], CONFIG, FINDING)) == [
            "9 files are changed, 8 are allowed"]
        lines = [change("api/a.py", added=200, removed=0), change("api/checks/test_a.py", "A", 200, 0)]
        assert list(objections(lines, CONFIG, FINDING)) == []
        assert list(objections([change("api/a.py", added=200, removed=1)], CONFIG, FINDING)) == [
            "201 lines of code are changed, 200 are allowed"]


def document(schema: Mapping[str, object], where: str = "query", required: bool = False) -> dict[str, object]:
    operation: dict[str, object] = {"responses": {"200": {}}}
    if where == "query":
        operation["parameters"] = [{"in": "query", "name": "n", "required": required, "schema": schema}]
    elif where == "body":
        operation["requestBody"] = {"required": required, "content": {"application/json": {"schema": schema}}}
    else:
        operation["responses"] = {"200": {"content": {"application/json": {"schema": schema}}}}
    return {"paths": {"/a": {"post": operation}},
            "components": {"schemas": {"Thing": {"type": "object", "properties": {"x": {"type": "string"}}}}}}


INTEGER, TEXT, THING = {"type": "integer"}, {"type": "string"}, {"$ref": "#/components/schemas/Thing"}
MAYBE = {"anyOf": [{"type": "integer"}, {"type": "null"}]}


class TestInterface:
    @pytest.mark.parametrize(("where", "before", "after", "said"), [
        ("query", INTEGER, INTEGER, []), ("query", INTEGER, {"type": "number"}, []), ("query", INTEGER, MAYBE, []),
        ("query", INTEGER, {}, []), ("query", {"enum": ["a"]}, {"enum": ["a", "b"]}, []),
        ("query", {"type": "integer", "maximum": 5}, {"type": "integer", "maximum": 9}, []),
        ("query", MAYBE, INTEGER, ["query n no longer takes null"]),
        ("query", {}, INTEGER, ["query n no longer takes anything"]),
        ("query", INTEGER, TEXT, ["query n no longer takes integer"]),
        ("query", {"enum": ["a", "b"]}, {"enum": ["a"]}, ["query n takes fewer values"]),
        ("query", TEXT, TEXT | {"enum": ["a"]}, ["query n takes fewer values"]),
        ("query", TEXT, TEXT | {"maxLength": 3}, ["query n has the bound maxLength 3"]),
        ("query", TEXT, TEXT | {"pattern": "a"}, ["query n must match another pattern"]),
        ("query", MAYBE, {"anyOf": [INTEGER | {"minimum": 0}, {"type": "null"}]}, ["query n has the bound minimum 0"]),
        ("body", THING, THING, []),
        ("body", THING, {"type": "object", "properties": {"x": TEXT}, "required": ["x"]}, ["body x must be given now"]),
        ("body", THING, {"type": "object", "properties": {}}, ["body x is gone"]),
        ("answer", THING, {"type": "object", "properties": {"x": TEXT, "y": TEXT}}, []),
        ("answer", THING, {"type": "object", "properties": {"y": TEXT}}, ["answer 200 x is gone"]),
        ("answer", THING, {"type": "object", "properties": {"x": INTEGER}}, ["answer 200 x may be integer now"]),
        ("answer", {"type": "array", "items": THING}, {"type": "array", "items": {"type": "object"}},
         ["answer 200 items x is gone"]),
        ("answer", INTEGER, MAYBE, ["answer 200 may be null now"]),
        ("answer", {"allOf": [THING]}, {"allOf": [THING]}, []),
    ])
    def test_schemas(self, where: str, before: dict[str, object], after: dict[str, object], said: list[str]) -> None:
        found = [str(each) for each in breaks(document(before, where), document(after, where))]
        assert found == [f"POST /a: {each}" for each in said]

    def test_operations_and_parameters(self) -> None:
        empty = {"paths": {}}
        assert [str(each) for each in breaks(document(INTEGER), empty)] == ["POST /a: is gone"]
        assert list(breaks(empty, document(INTEGER))) == []
        without, required = document(INTEGER, "answer"), document(INTEGER, required=True)
        assert [each.said for each in breaks(document(INTEGER), without)] == ["is gone"]
        assert [each.said for each in breaks(without, required)][:1] == ["is new and must be given"]
        assert [each.said for each in breaks(document(INTEGER), required)] == ["must be given now"]

    def test_a_schema_that_holds_itself(self) -> None:
        knot = document(THING, "answer")
        knot["components"] = {"schemas": {"Thing": {"type": "object", "properties": {"again": THING}}}}
        assert list(breaks(knot, knot)) == []


class TestPairs:
    def test_the_test_is_wilcoxons(self) -> None:
        """Exact: 5 positive differences of 5 have a chance of 1/32, 0 of 5 all of it; the approximation is near."""
        assert signed_rank([1, 2, 3, 4, 5]) == pytest.approx(1 / 32, abs=0.01)
        assert signed_rank([-1, -2, -3, -4, -5]) > 0.97 and signed_rank([]) == signed_rank([0.0, 0.0]) == 1.0
        assert signed_rank([1, -1, 1, -1]) > 0.4

    def test_the_shift_and_its_interval(self) -> None:
        """The example of Hollander and Wolfe (depression, 9 patients): -0.46, and -0.786 to -0.010 with 96 %."""
        given = [0.952, -0.147, 1.022, 0.430, 0.620, 0.590, 0.490, -0.080, 0.010]
        assert shift(given) == pytest.approx(0.46, abs=0.005)
        low, high = interval(given, 0.04)
        assert -0.02 < low < 0.07 and 0.75 < high < 0.85

    def test_no_false_alarm_among_equals(self) -> None:
        chance = random.Random(7)
        draws = [[chance.lognormvariate(0, 0.5) - chance.lognormvariate(0, 0.5) for _ in range(40)]
                 for _ in range(1000)]
        assert sum(signed_rank(each) < 0.01 for each in draws) <= 20  # 10 expected
        assert sum(not (one <= 0 <= two) for one, two in (interval(each, 0.1) for each in draws[:300])) <= 45

    @pytest.mark.parametrize(("factor", "offset", "apart", "slower"), [
        (1.0, 0.0, 1.0, False), (1.2, 0.0, 1.0, False), (1.5, 0.0, 1.0, True), (1.5, 0.0, 2.0, False),
        (1.0, 1.5, 1.0, False)])
    def test_slower_means_clearly_so(self, factor: float, offset: float, apart: float, slower: bool) -> None:
        before = tuple(10 + n / 10 for n in range(30))
        found = Figures(before, tuple(value * apart for value in before),
                        tuple(value * factor * (1 + apart) / 2 + offset for value in before))
        assert found.slower(LEAST_MS) is slower and (not slower or found.seems_slower(LEAST_MS))


def drawn(factor: float, spread: float, count: int = 320, apart: float = 1.0, seed: int = 7) -> Figures:
    """Rounds on a machine with its ups and downs; the live version again is slower by `apart`."""
    chance, sides = random.Random(seed), (1.0, apart, factor)
    rounds = [[5 * side * chance.lognormvariate(0, spread) for side in sides] for _ in range(count)]
    before, same, after = (tuple(each) for each in zip(*rounds, strict=True))
    return Figures(before, same, after)


class TestGains:
    NOTHING = drawn(1.0, 0.2)

    @pytest.mark.parametrize(("waits", "works", "clock"), [
        (drawn(0.8, 0.2), NOTHING, "time"), (NOTHING, drawn(0.95, 0.05), "processor time"), (NOTHING, NOTHING, ""),
        (drawn(0.985, 0.01), NOTHING, ""), (drawn(0.97, 0.05, apart=1.2), NOTHING, ""),
        (drawn(1.7, 0.1), drawn(0.8, 0.1), ""),
    ], ids=["waits less", "works less", "the same", "too little", "live differs from itself as much", "waits more"])
    def test_what_a_trial_calls_faster(self, waits: Figures, works: Figures, clock: str) -> None:
        assert Trial("/a", waits, works).faster == ({clock} if clock else frozenset())

    def test_the_same_is_rarely_faster(self) -> None:
        """What a trial may be fooled by is drawn 400 times: at most SURE of it for both clocks at one look."""
        called = sum(bool(Trial("/a", drawn(1.0, 0.1, 80, seed=seed), drawn(1.0, 0.1, 80, seed=seed + 400)).faster)
                     for seed in range(1, 401))
        assert called <= 400 * SURE

    def test_a_gain_is_believed_only_when_it_is_seen_again_at_every_size(self) -> None:
        good, none = Trial("/a", drawn(0.8, 0.1), self.NOTHING), Trial("/a?limit=9", self.NOTHING, self.NOTHING)
        cold = ((1.0, 1.0, 1.0),) * TRIALS
        assert Claim(((good,), (good,)), cold).believed and not Claim(((good,),), cold[:1]).believed
        for seen in (((good,), (none,)), ((good, none), (good, good))):
            assert not Claim(seen, cold).believed and Claim(seen, cold).open
        assert not Claim(((none,),), cold[:1]).open
        other = Trial("/a", self.NOTHING, drawn(0.8, 0.1))
        assert other.faster and not Claim(((good,), (other,)), cold).believed, "each clock saw it once"
        assert Claim(((Trial("/a", drawn(1.0, 1.0, 40), self.NOTHING),),), cold[:1]).open, "it may have missed much"

    def test_cold_ones(self) -> None:
        assert Claim((), ((20.0, 30.0, 400.0), (25.0, 20.0, 300.0))).colder
        assert not Claim((), ((20.0, 30.0, 400.0), (25.0, 20.0, 30.0))).colder

    @pytest.mark.parametrize(("path", "schema", "others"), [
        ("/things", {"type": "integer"}, ["limit=40", "limit=10"]),
        ("/things?limit=30&q=a", {"type": "integer", "maximum": 50}, ["limit=15&q=a"]),
        ("/things", {"type": "integer", "default": 1, "maximum": 1}, []), ("/things", {"type": "string"}, []),
        ("/others", {"type": "integer"}, [])])
    def test_other_sizes(self, path: str, schema: dict[str, Any], others: list[str]) -> None:
        found = {"paths": {"/things": {"get": {"parameters": [{"name": "limit", "in": "query", "schema": schema}]}}}}
        assert list(other_sizes(path, routes(found))) == [f"/things?{each}" for each in others]


class TestResources:
    STEADY = tuple(0.01 + n % 7 / 1000 for n in range(20))

    def look(self, factor: float = 1.0, grown: int = 0, more: int = 0) -> Look:
        held = [60 << 20] * 4
        return Look(2, (self.STEADY, [each * factor for each in self.STEADY]),
                    (held, [each + more + grown * turn for turn, each in enumerate(held)]))

    def test_what_is_more(self) -> None:
        assert [self.look(factor).works_more() for factor in (1.0, 1.2, 1.6)] == [False, False, True]
        assert [self.look(grown=each << 20).grows() for each in (0, 1, 5)] == [False, False, True]
        assert [self.look(more=each << 20).holds_more() for each in (0, 20, 40)] == [False, False, True]

class TestReport:
    def read(self, tmp_path: Path, text: str) -> tuple[dict[str, str], str]:
        (tmp_path / "report.xml").write_text(text)
        found = read_report(tmp_path / "report.xml")
        return dict(found.tests), found.problem

    def test_outcomes(self, tmp_path: Path) -> None:
        assert self.read(tmp_path, """<testsuites><testsuite><testcase classname="a" name="b"/>
            <testcase classname="a" name="c"><failure/></testcase><testcase classname="a" name="d"><skipped/></testcase>
            <testcase classname="a" name="e"><error/></testcase></testsuite></testsuites>""") == (
            {"a::b": "passed", "a::c": "failed", "a::d": "skipped", "a::e": "failed"}, "")

    def test_one_name_twice_is_as_good_as_its_worst(self, tmp_path: Path) -> None:
        both = '<s><testcase name="b"/><testcase name="b"><failure/></testcase></s>'
        assert self.read(tmp_path, both)[0] == {"::b": "failed"}

    @pytest.mark.parametrize("text", [
        "", "<s>", '<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><s><testcase name="&b;"/></s>'])
    def test_what_is_no_report(self, tmp_path: Path, text: str) -> None:
        tests, problem = self.read(tmp_path, text)
        assert tests == {} and problem
