"""Replay on a real shop: what counts as a difference, what as noise, what a finding declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from proof_shop import APP, FINDING, FIXED, Shop, visited

from aiimprove.evidence import Check, Verdict
from aiimprove.finding import Finding
from aiimprove.policy import REPLAYED, outcome
from aiimprove.proving import prove
from aiimprove.recording import NO_TRAFFIC, Traffic

TRAFFIC = visited(("GET", "/items?page=2"), ("GET", "/items?page=5000"), ("GET", "/names"),
                  ("POST", "/names", '{"name": "three"}'), ("POST", "/names", '{"name": "four"}'))
STAMPED = APP.replace('return 200, {"page": page,', 'return 200, {"now": time.time(), "id": os.urandom(8).hex(), '
                                                    '"page": page,')


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


def replayed(shop: Shop, files: Mapping[str, str | None], finding: Finding | None = FINDING,
             traffic: Traffic = TRAFFIC, live: Mapping[str, str | None] | None = None) -> Check:
    """What the replay says of a candidate, against the shop or another `live` version."""
    case = replace(shop.case(files, finding, traffic), checks=("replay",))
    if live:
        case = replace(case, baseline=shop.case(live).candidate, work=case.work / "live")
    return prove(case).checks[0]


def figures(check: Check) -> dict[str, object]:
    return {each.name: each.after for each in check.measurements}


def test_a_fix_changes_nothing_but_what_it_says(shop: Shop) -> None:
    check = replayed(shop, {"shop/app.py": FIXED})
    assert (check.verdict, check.summary) == (
        Verdict.PASSED, "5 recorded requests (2 of them write) of 3 shapes are answered as before; 16.7 % of the last "
                        "day's requests run through the changed lines, 0 of 1 of their shapes were proven")
    assert figures(check)[REPLAYED] == 5
    assert figures(check)["shapes of the last day's requests replayed"] == "3 of 3"


@pytest.mark.parametrize(("changed", "said"), [
    (FIXED.replace("n for n in", "n + 1 for n in"), "has 21 in body.items[0] instead of 20 and 9 more differences"),
    (FIXED.replace("return 422", "return 200"), "shop GET /items answers 200 instead of 500"),
    (FIXED.replace('self.send_header("content-length"', 'self.send_header("x-more", "1")\n'
                   '        self.send_header("content-length"'), "has '1' in header x-more instead of nothing"),
    (FIXED.replace("(name,)).lastrowid", "(name[:3],)).lastrowid"), "item: 2 changed (name)"),
    (FIXED.replace("(name) VALUES (?)\", (name,)", "(name) VALUES (?), ('more')\", (name,)"),
     "+4 rows in item instead of +2"),
    (FIXED.replace('        item = json', '        print("ERROR: odd request", file=sys.stderr, flush=True)\n'
                   '        item = json'), "the log says something new: ERROR: odd request"),
], ids=["body", "declared too little", "header", "row", "rows", "log"])
def test_any_other_difference_fails(shop: Shop, changed: str, said: str) -> None:
    assert changed != FIXED
    check = replayed(shop, {"shop/app.py": changed})
    assert check.verdict is Verdict.FAILED and said in check.summary


def test_what_varies_by_itself_is_no_difference(shop: Shop) -> None:
    live = {"shop/app.py": STAMPED}
    fixed = STAMPED.replace('raise OverflowError(page)', 'return 422, {"error": "no such page"}')
    assert replayed(shop, {"shop/app.py": fixed}, live=live).verdict is Verdict.PASSED
    worse = fixed.replace("[page * 10", "[page * 11")
    check = replayed(shop, {"shop/app.py": worse}, live=live)
    assert check.verdict is Verdict.FAILED and "body.items[0]" in check.summary, "by path, not the whole answer"
    other = fixed.replace('"now": time.time()', '"now": None')
    check = replayed(shop, {"shop/app.py": other}, live=live)
    assert check.verdict is Verdict.FAILED and "body.now" in check.summary, "what varies keeps its kind"


def test_a_commit_of_a_humans_may_change_answers_but_not_break_them(shop: Shop) -> None:
    changed = APP.replace("page * 10 + n", "page * 10 + n + 1")
    check = replayed(shop, {"shop/app.py": changed}, finding=None)
    assert check.verdict is Verdict.PASSED and "are answered without a new error" in check.summary
    broken = changed.replace("name.upper()", "name.lower(1)")
    check = replayed(shop, {"shop/app.py": broken}, finding=None)
    assert check.verdict is Verdict.FAILED and check.summary == "shop GET /names answers 500 instead of 200"


def test_nothing_recorded_is_said_and_does_not_stop_a_site_with_tests(shop: Shop) -> None:
    case = replace(shop.case({"shop/app.py": FIXED}, traffic=NO_TRAFFIC), checks=("replay", "tests"))
    evidence = prove(case)
    check = evidence.checks[0]
    assert (check.verdict, figures(check)) == (Verdict.INCONCLUSIVE, {REPLAYED: 0})
    assert "requests of visitors (none were recorded lately)" in evidence.not_checked
    assert outcome(evidence) is Verdict.PASSED
    assert outcome(replace(evidence, checks=(check,))) is Verdict.INCONCLUSIVE, "but one without tests is unproven"


def test_a_replay_has_bounds(shop: Shop) -> None:
    many = visited(*(("GET", f"/items?page={page}") for page in range(30)), ("GET", "/names"))
    case = shop.case({"shop/app.py": FIXED}, traffic=many)
    few = replace(case.config, recorder=replace(case.config.recorder, replayed=4))
    check = prove(replace(case, config=few, checks=("replay",))).checks[0]
    assert figures(check)[REPLAYED] == 4 and "of 2 shapes" in check.summary


def test_the_share_of_requests_that_run_through_the_changed_lines(shop: Shop) -> None:
    asked = visited(("GET", "/items?page=2"), ("GET", "/items?page=5000"), ("GET", "/names"), ("GET", "/count"))
    met = {"GET shop/items ?page": 60.0, "GET shop/names": 30.0, "GET shop/count": 10.0}
    check = replayed(shop, {"shop/app.py": FIXED}, traffic=replace(asked, met=met))
    seen = figures(check)
    assert seen["share of the last day's requests through the changed lines"] == "30.0 %", "the page that crashed"
    assert seen["of their shapes answered well and compared"] == "0 of 1"
    everywhere = FIXED.replace("import json\n", "import json\nimport string\n")
    seen = figures(replayed(shop, {"shop/app.py": everywhere}, traffic=asked))
    assert seen["share of the last day's requests through the changed lines"] == "unknown"
