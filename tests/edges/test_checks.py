"""Every check has a bad patch that it alone catches: with the check switched off, the patch would go through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from proof_shop import APP, CALM, FAR_PAGES, FINDING, FIXED, MIGRATE, Shop, number, openapi, visited

from aiimprove.checks import CHECKS, gain
from aiimprove.evidence import Evidence, Verdict
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.policy import one_way, outcome
from aiimprove.proving import prove
from aiimprove.proving.proof import ALL
from aiimprove.recording import Traffic

NEW_TEST = "from app import items\n\n\ndef test_far_pages():\n    assert items({'page': ['5000']})[0] == 422\n"
INDEX = "CREATE INDEX by_name ON item (name)"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


@dataclass(frozen=True)
class Bad:
    """A patch that fixes the bug (but for one) and does something else that only `check` sees, and how it says so."""

    check: str
    files: Mapping[str, str | None]
    said: str
    finding: Finding = FINDING
    traffic: Traffic = CALM

    def __str__(self) -> str:
        return self.check


NAMELESS = FIXED.replace("(name,)).lastrowid", "(None,)).lastrowid").replace("name.upper()", "(name or '').upper()")
"""It writes rows that it can read, and the live version cannot."""
BROWSERS_LOCKED_OUT = FIXED.replace("        self.answer(lambda: add(", """\
        if self.headers["origin"] and not self.headers["x-csrf-token"]:
            return self.answer(lambda: (403, {"error": "no token"}))
        self.answer(lambda: add(""")
"""It breaks only writes, and only those of pages."""
KEEPS = FIXED.replace("        self.answer(lambda: ROUTES", """\
        self.server.asked = [*getattr(self.server, "asked", ()), b"kept" * 100_000]
        self.answer(lambda: ROUTES""")
"""It keeps something of every request, and answers as quickly as before."""
WORKS = FIXED.replace("import json\n", "import hashlib\nimport json\nimport threading\n").replace(
    'if __name__ == "__main__":\n', """\
def work():
    while True:
        hashlib.pbkdf2_hmac("sha256", b"a", b"b", 20_000)
        time.sleep(0.02)


if __name__ == "__main__":
    threading.Thread(target=work, daemon=True).start()
""")
"""It works behind its answers."""
NAMES_KEPT = '''\
import os
import sqlite3
from app import add, names


def test_names():
    with sqlite3.connect(os.environ["SHOP_DB"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, name TEXT, note TEXT)")
    assert add("b") == (201, {"id": 1}) and names({}) == (200, [""])
    with sqlite3.connect(os.environ["SHOP_DB"]) as connection:
        connection.execute("INSERT INTO item (name) VALUES ('b')")
    assert names({}) == (200, ["B", ""])
'''
HELD = {"shop/tests/test_far_pages.py": FAR_PAGES}
NEEDS_INDEX = replace(FINDING, cause="missing-index")
BAD = [
    Bad("probe", {"shop/app.py": APP.replace("page > 1000", "page > 2000")}, "the problem is still there"),
    Bad("tests", {"shop/app.py": FIXED.replace("page * 10 + n", "page * 10 + n + 1")},
        "1 tests that passed fail: test_items::test_a_page_has_ten_items"),
    Bad("smoke", {"shop/app.py": FIXED.replace("FROM item", "FROM things")}, "shop /count answers 500 (live: 200)"),
    Bad("contract", {"shop/app.py": FIXED, "shop/openapi.json": openapi(parameters=[])},
        "shop: GET /items: query page is gone"),
    Bad("scope", {"shop/app.py": FIXED, ".github/workflows/release.yml": "on: push\n"},
        ".github/workflows/release.yml belongs to how the app is tested and released"),
    Bad("honesty", {"shop/app.py": FIXED.replace(
        "    page = int", "    if sys.argv[0] == 'run_tests.py':\n        return 200, {'page': 0, 'items': [20]}\n"
                          "    page = int")},
        "markers: shop/app.py:11 looks at how it is run (sys.argv)"),
    Bad("migration", {"shop/app.py": FIXED, "shop/migrations/0002.sql": "ALTER TABLE item DROP COLUMN note"},
        "column item.note is gone", NEEDS_INDEX, visited(("GET", "/slow"))),
    Bad("speed", {"shop/app.py": FIXED.replace("    with sqlite3", "    time.sleep(0.02)\n    with sqlite3")},
        "shop /count takes"),
    Bad("resources", {"shop/app.py": KEEPS}, "shop keeps growing: by"),
    Bad("strength", {"shop/app.py": FIXED.replace("422, {", "422 if page < 9999 else 404, {")},
        "5 of 10 small mistakes in the changed lines are noticed"),
    Bad("rollback", {"shop/app.py": NAMELESS, "shop/tests/test_names.py": NAMES_KEPT},
        "one way, because the live version's shop GET /names answers 500"),
    Bad("replay", {"shop/app.py": BROWSERS_LOCKED_OUT}, "shop POST /names answers 403 instead of 201",
        traffic=visited(("GET", "/names"), ("POST", "/names", '{"name": "three"}'))),
]


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_only_this_check_catches_this_patch(shop: Shop, bad: Bad) -> None:
    held = {} if bad.check in ("probe", "honesty") else HELD
    evidence = prove(shop.case({**held, **bad.files}, bad.finding, bad.traffic))
    caught = [check for check in evidence.checks if check.verdict is not Verdict.PASSED]
    verdict = Verdict.INCONCLUSIVE if bad.check == "strength" else Verdict.FAILED
    assert [(check.name, check.verdict) for check in caught] == [(bad.check, verdict)], words(evidence)
    assert bad.said in caught[0].summary and evidence.verdict is verdict
    assert bool(one_way(evidence)) is (bad.check == "rollback") and outcome(evidence) is (
        Verdict.PASSED if bad.check == "rollback" else verdict), "a human is asked, and told"
    others = tuple(check for check in evidence.checks if check.name != bad.check)
    refused = outcome(evidence) is Verdict.FAILED
    assert len(others) == len(ALL) - 1 - refused, "what is refused already is not asked for its strength"
    assert replace(evidence, checks=others).verdict is Verdict.PASSED


def test_a_check_that_is_switched_off_lets_its_patch_through(shop: Shop) -> None:
    bad = next(each for each in BAD if each.check == "tests")
    asked = tuple(name for name in ALL if name not in ("tests", "strength"))
    evidence = prove(replace(shop.case(bad.files), checks=asked))
    assert words(evidence) == [] and evidence.verdict is Verdict.PASSED
    assert "the check named tests" in evidence.not_checked


def test_every_check_has_such_a_patch() -> None:
    assert sorted(bad.check for bad in BAD) == sorted(ALL) == sorted(CHECKS)


def words(evidence: Evidence) -> list[str]:
    return [f"{check.name}: {check.summary}" for check in evidence.checks if check.verdict is not Verdict.PASSED]


def only(shop: Shop, name: str, files: Mapping[str, str | None], finding: Finding = FINDING) -> tuple[Verdict, str]:
    """What one check says about a candidate."""
    evidence = prove(replace(shop.case(files, finding), checks=(name,)))
    return evidence.checks[0].verdict, evidence.checks[0].summary


def test_a_good_patch_passes_everything(shop: Shop) -> None:
    case = shop.case({"shop/app.py": FIXED, "shop/tests/test_far_pages.py": FAR_PAGES,
                      "shop/openapi.json": openapi(parameters=[number(maximum=1000)])})
    evidence = prove(case)
    assert words(evidence) == []
    assert evidence.verdict is Verdict.PASSED and {check.name for check in evidence.checks} == set(ALL)
    said = {check.name: check.summary for check in evidence.checks}
    assert said["probe"].startswith("the problem is gone (before: answered 500; after: answered 422); so it is in ")
    assert "so do 1 new ones, and 1 of them fail without the change" in said["tests"]
    assert (evidence.artifact, evidence.probe) == (case.candidate.artifact, FINDING.probe.digest())


class TestStrength:
    def test_without_a_test_of_the_changed_lines_nothing_is_shown(self, shop: Shop) -> None:
        verdict, said = only(shop, "strength", {"shop/app.py": FIXED})
        assert verdict is Verdict.INCONCLUSIVE and "1 of 4 small mistakes" in said
        assert "nobody notices: shop/app.py:13 422 is 421" in said and "What is missing is a test" in said

    def test_the_running_copy_judges_what_tests_cannot(self, shop: Shop) -> None:
        verdict, said = only(shop, "strength", {"shop/app.py": FIXED, "shop/tests/test_a.py": FAR_PAGES.replace(
            "assert items({\"page\": [\"1001", "# assert items({\"page\": [\"1001")})
        assert verdict is Verdict.INCONCLUSIVE and "1 by probe" in said

    def test_a_test_that_fails_now_and_then_proves_nothing(self, shop: Shop) -> None:
        tired = ("import os\n\n\ndef test_tired():\n    with open('tests/times', 'a') as file:\n"
                 "        file.write('x')\n    assert os.path.getsize('tests/times') < 6\n")
        verdict, said = only(shop, "strength", {"shop/app.py": FIXED, "shop/tests/test_tired.py": tired, **HELD})
        assert verdict is Verdict.INCONCLUSIVE and said == "its new tests fail now and then without any mistake"

    def test_what_holds_no_program_is_not_asked(self, shop: Shop) -> None:
        assert only(shop, "strength", {"shop/openapi.json": openapi(), "README.md": "words"})[0] is Verdict.PASSED

    def test_without_time_nothing_is_claimed(self, shop: Shop) -> None:
        case = shop.case({"shop/app.py": FIXED, **HELD})
        config = replace(case.config, proof=replace(case.config.proof, mutation_seconds=0))
        check = prove(replace(case, config=config, checks=("strength",))).checks[0]
        assert (check.verdict, check.summary) == (
            Verdict.INCONCLUSIVE, "there was time for 0 of 4 small mistakes only")


class TestProbe:
    def test_a_problem_that_live_does_not_have(self, shop: Shop) -> None:
        probe = replace(FINDING.probe, request={"method": "GET", "path": "/items?page=5"})
        verdict, said = only(shop, "probe", {"shop/app.py": FIXED}, replace(FINDING, probe=probe))
        assert verdict is Verdict.FAILED and said.startswith("not reproduced")

    def test_a_fix_for_the_probe_alone_meets_its_variants(self, shop: Shop) -> None:
        partial = APP.replace("    if page > 1000", "    if page > 4900:\n        return 422, {}\n    if page > 1000")
        bounded = replace(FINDING, details={**FINDING.details, "highest_ok": 1000})
        verdict, said = only(shop, "probe", {"shop/app.py": partial}, bounded)
        assert verdict is Verdict.FAILED and said.startswith("variants of the probe still fail: answered 500")

    def test_what_is_about_security_is_looked_at_twice(self, shop: Shop) -> None:
        lacking = Finding("security_headers", Kind.SECURITY, "missing-security-headers", "shop", "", "", Probe(
            "http", "shop", {"method": "GET", "path": "/items"}, {"headers": [{"name": "Referrer-Policy"}]}))
        sent = 'send_header("referrer-policy", "no-referrer"); self.send_header("content-length"'
        verdict, said = only(shop, "probe", {"shop/app.py": APP.replace('send_header("content-length"', sent)}, lacking)
        assert verdict is Verdict.FAILED and said == "the detector security_headers finds the same on the candidate"
        every = sent.replace("self.send", 'self.send_header("x-frame-options", "DENY"); '
                             'self.send_header("x-content-type-options", "nosniff"); self.send')
        headed = APP.replace('send_header("content-length"', every)
        verdict, said = only(shop, "probe", {"shop/app.py": headed}, lacking)
        assert verdict is Verdict.PASSED and "does not find it any more" in said

    def test_a_problem_that_comes_and_goes_decides_nothing(self, shop: Shop) -> None:
        flaky = FIXED.replace("def items(query):", "asked = []\n\n\ndef items(query):\n    asked.append(1)").replace(
            "return 422", "if len(asked) == 2:\n            raise OverflowError\n        return 422")
        verdict, said = only(shop, "probe", {"shop/app.py": flaky})
        assert verdict is Verdict.INCONCLUSIVE and "the candidate 1 of 3 times" in said


class TestTests:
    def test_a_test_that_is_gone(self, shop: Shop) -> None:
        hiding = FIXED.replace("import time\n", "import time\n") + (
            "\nimport __main__\nif hasattr(__main__, 'cases'):\n"
            "    real = open\n    __main__.cases = type('Few', (list,), {'append': lambda *_: None})()\n")
        verdict, said = only(shop, "tests", {"shop/app.py": hiding})
        assert verdict is Verdict.FAILED and said.startswith("tests are gone: test_items::test_a_page")

    def test_the_candidates_own_version_of_a_test_does_not_count(self, shop: Shop) -> None:
        broken = FIXED.replace("page * 10 + n", "page * 10 + n + 1")
        verdict, said = only(shop, "tests", {
            "shop/app.py": broken, "shop/tests/test_items.py": "def test_a_page_has_ten_items():\n    pass\n"})
        assert verdict is Verdict.FAILED and "test_a_page_has_ten_items" in said

    def test_a_new_test_must_pass(self, shop: Shop) -> None:
        verdict, said = only(shop, "tests", {"shop/app.py": FIXED, "shop/tests/test_new.py": NEW_TEST.replace(
            "422", "404")})
        assert verdict is Verdict.FAILED and said == "new tests of the candidate fail: test_new::test_far_pages"

    def test_tests_that_hang_fail(self, shop: Shop) -> None:
        case = shop.case({"shop/app.py": FIXED.replace("def count", "if 'run_tests.py' in sys.argv[0]:\n"
                                                                   "    time.sleep(60)\n\n\ndef count")})
        config = replace(case.config, proof=replace(case.config.proof, tests_seconds=2))
        check = prove(replace(case, config=config, checks=("tests",))).checks[0]
        assert (check.verdict, check.summary) == (Verdict.FAILED, "the tests of shop took longer than 2 seconds")

    def test_an_app_without_tests_decides_nothing(self, shop: Shop) -> None:
        case = shop.case({"README.md": "words"})
        assert prove(replace(case, checks=("tests",))).verdict is Verdict.INCONCLUSIVE

    def test_tests_see_neither_the_state_nor_a_network(self, shop: Shop) -> None:
        secret = shop.config.state_folder / "state.db"
        secret.write_text("operators")
        spying = (f"import os\nimport socket\n\n\ndef test_spying():\n    assert not os.path.exists({str(secret)!r})\n"
                  "    assert len(socket.if_nameindex()) == 1\n")
        assert only(shop, "tests", {"shop/tests/test_spy.py": spying})[0] is Verdict.PASSED


class TestContract:
    @pytest.mark.parametrize(("files", "verdict"), [
        (openapi(parameters=[number(maximum=1000)]), Verdict.PASSED),
        (openapi(parameters=[number(), number() | {"name": "size"}]), Verdict.PASSED),
        (openapi(parameters=[number(), number() | {"name": "size", "required": True}]), Verdict.FAILED),
        (openapi(parameters=[number(enum=[1, 2])]), Verdict.FAILED),
        ("nothing", Verdict.FAILED),
    ])
    def test_documents(self, shop: Shop, files: str, verdict: Verdict) -> None:
        assert only(shop, "contract", {"shop/openapi.json": files})[0] is verdict

    def test_a_bound_that_nobody_asked_for(self, shop: Shop) -> None:
        other = replace(FINDING, details={"method": "GET", "route": "/items", "parameter": "size"})
        verdict, said = only(shop, "contract", {"shop/openapi.json": openapi(parameters=[number(maximum=9)])}, other)
        assert (verdict, said) == (Verdict.FAILED, "shop: GET /items: query page has the bound maximum 9")


class TestMigration:
    def test_an_index_only_adds(self, shop: Shop) -> None:
        verdict, said = only(shop, "migration", {"shop/migrations/0002.sql": INDEX}, NEEDS_INDEX)
        assert verdict is Verdict.PASSED and said.startswith("it only adds, locks for")

    def test_a_lock_that_live_would_feel(self, shop: Shop) -> None:
        slow = MIGRATE.replace("COMMIT\")", "\"); time.sleep(0.4 if number == 2 else 0); connection.execute('COMMIT')")
        verdict, said = only(shop, "migration", {
            "shop/migrate.py": "import time\n" + slow.replace("PRAGMA user_version = {number}; \"",
                                                              "PRAGMA user_version = {number}\""),
            "shop/migrations/0002.sql": INDEX}, NEEDS_INDEX)
        assert verdict is Verdict.FAILED and "250 are allowed" in said

    def test_rows_that_are_gone(self, shop: Shop) -> None:
        verdict, said = only(shop, "migration", {"shop/migrations/0002.sql": "DELETE FROM item WHERE id = 1"})
        assert verdict is Verdict.FAILED and "1 rows of item are gone" in said

    def test_data_that_the_live_version_cannot_read(self, shop: Shop) -> None:
        trap = "DROP TABLE item; CREATE VIEW item AS SELECT 1 AS id, nothing() AS name, '' AS note"
        verdict, _ = only(shop, "migration", {"shop/migrations/0002.sql": trap})
        assert verdict is Verdict.FAILED

    def test_a_migration_that_fails(self, shop: Shop) -> None:
        verdict, said = only(shop, "migration", {"shop/migrations/0002.sql": "CREATE TABLE item (id)"})
        assert verdict is Verdict.FAILED and "table item already exists" in said


class TestRollback:
    def test_the_way_back_is_taken(self, shop: Shop) -> None:
        evidence = prove(replace(shop.case({"shop/app.py": FIXED}), checks=("rollback",)))
        figures = {each.name: each.after for each in evidence.checks[0].measurements}
        assert evidence.checks[0].summary == f"rollback proven: {figures['way back']:.1f} s, 0 rows lost"
        assert figures["rows lost"] == 0 and figures["writes"] == 1 and figures["migrations"] == 0

    @pytest.mark.parametrize(("app", "script", "said"), [
        (FIXED, "UPDATE item SET name = 'x' || name", "its migration rewrites rows (item: 2 changed (name))"),
        (FIXED.replace("(name) VALUES (?)", "(name, note) VALUES (?, '')"),
         "CREATE TRIGGER t BEFORE INSERT ON item WHEN new.note IS NULL BEGIN SELECT RAISE(ABORT, 'no note'); END",
         "the live version's shop POST /names fails afterwards"),
        (FIXED, "CREATE TRIGGER t AFTER INSERT ON item WHEN new.id > 3 BEGIN DELETE FROM item WHERE id = 3; END",
         "rows are lost (item: 1 gone)"),
    ], ids=["rewrites", "refuses", "removes"])
    def test_migrations_that_only_this_check_sees(self, shop: Shop, app: str, script: str, said: str) -> None:
        files = {"shop/app.py": app, "shop/migrations/0002.sql": script}
        evidence = prove(replace(shop.case(files, NEEDS_INDEX), checks=("smoke", "migration", "rollback")))
        assert [check.name for check in evidence.checks if check.verdict is not Verdict.PASSED] == ["rollback"]
        assert said in one_way(evidence)

    def test_what_the_live_version_does_to_its_rows_every_day_is_no_loss(self, shop: Shop) -> None:
        busy = shop.baseline
        script = "CREATE TRIGGER t AFTER INSERT ON item BEGIN UPDATE item SET note = new.id; END"
        case = shop.case({"shop/migrations/0002.sql": script})
        evidence = prove(replace(case, baseline=case.candidate, candidate=busy, checks=("rollback",)))
        assert evidence.verdict is Verdict.PASSED, words(evidence)

    def test_without_a_write_nothing_is_proven(self, shop: Shop) -> None:
        silent = {"shop/app.py": FIXED, "shop/openapi.json": '{"paths": {"/items": {"get": {}}}}'}
        alone = prove(replace(shop.case(silent), checks=("smoke", "rollback")))
        assert words(alone) == ["rollback: rollback not proven: no write could be tried"]
        assert outcome(alone) is Verdict.PASSED, "it is said, and nothing more"
        for script, counts in ((INDEX, Verdict.PASSED), ("ALTER TABLE item ADD COLUMN more", Verdict.INCONCLUSIVE)):
            silent["shop/migrations/0002.sql"] = script
            migrating = prove(replace(shop.case(silent), checks=("smoke", "rollback")))
            assert outcome(migrating) is counts, script

    def test_journeys_of_the_config(self, shop: Shop) -> None:
        silent = {"shop/app.py": NAMELESS, "shop/openapi.json": '{"paths": {}}'}
        case = shop.case(silent)
        journeys = ['POST /names {"name": "a"}', "GET /names"]
        telling = replace(case.config.services["shop"], openapi="", journeys=journeys)
        evidence = prove(replace(case, config=replace(case.config, services={"shop": telling}), checks=("rollback",)))
        assert one_way(evidence).startswith("one way, because the live version's shop GET /names answers 500")


class TestResources:
    def test_work_behind_the_answers(self, shop: Shop) -> None:
        verdict, said = only(shop, "resources", {"shop/app.py": WORKS})
        assert verdict is Verdict.FAILED and "of the processor for a request instead of" in said

    def test_the_same_code_needs_the_same(self, shop: Shop) -> None:
        case = shop.case({"README.md": "the same code"})
        said = [prove(replace(case, checks=("resources",), work=case.work / str(turn))) for turn in range(3)]
        assert [words(each) for each in said] == [[]] * 3
        figures = {each.name: each for each in said[0].checks[0].measurements}
        assert 0 < float(figures["shop: processor for a request"].after or 0) < 50
        assert 5 < float(figures["shop: memory"].after or 0) < 200


class TestSpeed:
    def test_the_same_code_is_never_slower(self, shop: Shop) -> None:
        case = shop.case({"README.md": "the same code"})
        said = [prove(replace(case, checks=("speed",), work=case.work / str(turn))) for turn in range(4)]
        assert [words(each) for each in said] == [[]] * 4

    def test_a_gain_by_the_clock_must_be_one(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(gain, "LOOKS", gain.LOOKS[:1])  # enough for what is ten times as fast
        probe = replace(FINDING.probe, request={"method": "GET", "path": "/slow"})
        by_clock = replace(FINDING, probe=probe, details={"clock": True})
        verdict, said = only(shop, "speed", {"README.md": "x"}, by_clock)
        assert (verdict, said.partition(":")[0]) in (
            (Verdict.FAILED, "not faster"), (Verdict.INCONCLUSIVE, "it could not be told")), "as busy as the machine is"
        faster = {"shop/app.py": APP.replace("time.sleep(0.012)", "time.sleep(0.001)")}
        verdict, said = only(shop, "speed", faster, by_clock)
        assert verdict is Verdict.PASSED and said.startswith("faster, and faster once more: /slow takes")
        assert "the route takes no size" in said

    def test_less_of_an_answer_is_no_gain(self, shop: Shop) -> None:
        probe = replace(FINDING.probe, request={"method": "GET", "path": "/slow"})
        less = {"shop/app.py": APP.replace('time.sleep(0.012)\n    return 200, {"slow": True}', "return 200, {}")}
        verdict, said = only(shop, "speed", less, replace(FINDING, probe=probe, details={"clock": True}))
        assert verdict is Verdict.FAILED and "and that of /slow is another" in said
