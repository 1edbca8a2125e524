"""The judgements inside the checks, without a running copy."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aiimprove.checks.contract import is_the_fix
from aiimprove.checks.interface import Break, breaks
from aiimprove.checks.junit import Results, read_report
from aiimprove.checks.pairs import Session, mann_whitney
from aiimprove.checks.scope import objections
from aiimprove.checks.tests import ServiceTests
from aiimprove.evidence import Verdict
from aiimprove.finding import Finding, Kind, Probe
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
    ("test_all.py", "api/test_new.py", True), ("", "api/test_new.py", True), ("", "api/deep/test_new.py", False),
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
    def test_no_false_alarm_among_equals(self) -> None:
        chance = random.Random(7)
        draws = [[chance.lognormvariate(1, 0.5) for _ in range(30)] for _ in range(2000)]
        alarms = sum(mann_whitney(one, two) < 0.01 for one, two in zip(draws[::2], draws[1::2], strict=True))
        assert alarms <= 25  # 1 % of 1000 expected

    def test_what_is_clearly_slower(self) -> None:
        chance = random.Random(7)
        one = [chance.lognormvariate(1, 0.3) for _ in range(30)]
        assert mann_whitney(one, [value * 2 for value in one]) < 1e-5
        assert mann_whitney([value * 2 for value in one], one) > 0.99
        assert mann_whitney(one, one) > 0.4 and mann_whitney([1.0] * 9, [1.0] * 9) == 1.0

    @pytest.mark.parametrize(("factor", "offset", "noise", "slower"), [
        (1.0, 0.0, 0.0, False), (1.2, 0.0, 0.0, False), (1.5, 0.0, 0.0, True), (1.5, 0.0, 10.0, False),
        (1.0, 1.5, 0.0, False)])
    def test_slower_means_clearly_so(self, factor: float, offset: float, noise: float, slower: bool) -> None:
        before = tuple(10 + n / 10 for n in range(30))
        assert Session(before, tuple(value * factor + offset for value in before), noise).slower() is slower


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
