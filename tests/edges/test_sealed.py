"""The judge is sealed: whatever a candidate does to its own tests, settings and runner, live's are what counts."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import replace

import pytest
from proof_shop import FIXED, RUN_TESTS, Shop

from aiimprove.checks.sealing import is_test
from aiimprove.checks.tests import ServiceTests
from aiimprove.evidence import Verdict
from aiimprove.settings import Service

BROKEN = FIXED.replace("page * 10 + n", "page * 10 + n + 1")
PASSING = "def test_a_page_has_ten_items():\n    pass\n\n\ndef test_the_first_page_is_the_default():\n    pass\n"
HOOK = ("import pytest\n\n\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call):\n"
        "    answer = yield\n    answer.get_result().outcome = 'passed'\n")
PLAIN = ("import sys\nopen(next(w for w in sys.argv if 'report' in w).split('=')[-1], 'w').write('<testsuite>"
         "<testcase classname=\"tests.test_items\" name=\"test_a_page_has_ten_items\"/><testcase "
         "classname=\"tests.test_items\" name=\"test_the_first_page_is_the_default\"/></testsuite>')\n")
FORGE = "\nimport os\nif 'PYTEST_VERSION' in os.environ or 'report' in str(sys.argv):\n" + "".join(
    f"    {line}\n" for line in PLAIN.splitlines()) + "    os._exit({code})\n"
KEEPING = '''
import os, re
if "report" in str(sys.argv):
    import atexit
    def mend(path=next(word for word in sys.argv if "report" in word).split("=")[-1]):
        text = open(path).read()
        open(path, "w").write(re.sub("<failure.*?</failure>|<failure[^>]*/>", "", text, flags=re.DOTALL))
    atexit.register(mend)
'''


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The shop, with pytest as its runner."""
    shop = Shop(tmp_path_factory.mktemp("sealed"))
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml={report}"]
    service: Service = replace(shop.config.services["shop"], test=words,
                               test_env={"PYTHONPATH": sysconfig.get_path("purelib")})
    shop.config = replace(shop.config, services={"shop": service})
    return shop


def judged(shop: Shop, files: Mapping[str, str | None], runner: bool = False) -> tuple[Verdict, str]:
    case = shop.case({"shop/app.py": BROKEN, **files})
    if runner:  # the shop's own runner, which lies in the repository
        own = replace(case.config.services["shop"], test=["python3", "run_tests.py", "{report}"])
        case = replace(case, config=replace(case.config, services={"shop": own}))
    verdict, said, _ = ServiceTests(case, "shop").judge()
    return verdict, said


def test_the_shop_is_judged_by_pytest(shop: Shop) -> None:
    assert judged(shop, {"shop/app.py": FIXED}) == (Verdict.PASSED, "all 2 tests of shop that passed still pass")
    assert judged(shop, {})[0] is Verdict.FAILED


PLANTED: list[dict[str, str | None]] = [
    {"shop/tests/test_items.py": PASSING},
    {"shop/tests/conftest.py": HOOK}, {"shop/conftest.py": HOOK}, {"shop/tests/deeper/conftest.py": HOOK},
    {"shop/pytest.ini": "[pytest]\naddopts = -p lies\n", "shop/lies.py": HOOK},
    {"shop/pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-p lies'\n", "shop/lies.py": HOOK},
    {"shop/tests/items.dist-info/entry_points.txt": "[pytest11]\nlies = lies\n", "shop/lies.py": HOOK},
    {"shop/lies.egg-info/entry_points.txt": "[pytest11]\nlies = lies\n", "shop/lies.egg-info/PKG-INFO": "Name: lies\n",
     "shop/lies.py": HOOK},
    {"shop/pytest.py": PLAIN}, {"shop/pytest/__main__.py": PLAIN, "shop/pytest/__init__.py": ""},
    {"shop/_pytest/__init__.py": PLAIN}, {"shop/pluggy.py": PLAIN}, {"shop/iniconfig/__init__.py": PLAIN},
    {"shop/sitecustomize.py": PLAIN}, {"shop/usercustomize.py": PLAIN}, {"shop/x.pth": "import lies\n"},
    {"shop/tests/sitecustomize.py": PLAIN}, {"shop/.env": "PYTEST_ADDOPTS=--collect-only\n"},
    {"shop/tests/test_items.py": None},
]


@pytest.mark.parametrize("files", PLANTED[::10])
def test_some_planted_files_change_nothing(shop: Shop, files: dict[str, str | None]) -> None:
    assert judged(shop, files) == (
        Verdict.FAILED, "1 tests that passed fail: tests.test_items::test_a_page_has_ten_items")


@pytest.mark.slow
@pytest.mark.parametrize("files", PLANTED, ids=lambda files: "+".join(files))
def test_planted_files_change_nothing(shop: Shop, files: dict[str, str | None]) -> None:
    assert judged(shop, files) == (
        Verdict.FAILED, "1 tests that passed fail: tests.test_items::test_a_page_has_ten_items")


def test_the_runner_of_the_repository_is_lives_too(shop: Shop) -> None:
    lying = RUN_TESTS.replace('said = f"<failure message={quoteattr(traceback.format_exc())}/>"', 'said = ""')
    assert lying != RUN_TESTS
    assert judged(shop, {"shop/run_tests.py": lying}, runner=True)[0] is Verdict.FAILED


@pytest.mark.parametrize(("app", "said"), [
    pytest.param(FORGE.replace("{code}", "0"), "the report is forged: a test that must fail did not",
                 marks=pytest.mark.slow),
    pytest.param(FORGE.replace("{code}", "1"), "the report is forged: a test that must fail did not",
                 marks=pytest.mark.slow),
    (KEEPING, "the report is forged: a test that must fail did not"),
    pytest.param("\nimport os\nos._exit(0) if 'report' in str(sys.argv) else None\n",
                 "the tests of shop wrote no report", marks=pytest.mark.slow),
], ids=["forged, exit 0", "forged, exit 1", "failures taken out", "no report"])
def test_a_forged_report_is_not_believed(shop: Shop, app: str, said: str) -> None:
    verdict, sentence = judged(shop, {"shop/app.py": BROKEN.replace("\n\nif __name__", app + "\n\nif __name__")})
    assert verdict is Verdict.FAILED and sentence.startswith(said), sentence


def test_a_run_that_ends_otherwise_is_not_believed(shop: Shop) -> None:
    ending = "\nimport atexit, os\nif 'report' in str(sys.argv):\n    atexit.register(os._exit, 0)\n"
    verdict, sentence = judged(shop, {"shop/app.py": FIXED.replace("\n\nif __name__", ending + "\n\nif __name__")})
    assert (verdict, sentence) == (Verdict.FAILED, "the report is forged: the run ended with 0, and with such a report "
                                                   "ends with 1")


def test_an_added_test_has_no_say_over_lives(shop: Shop) -> None:
    patching = "import app\n\napp.items = lambda query: (200, {'page': 0, 'items': [20]})\ndef test_a():\n    pass\n"
    assert judged(shop, {"shop/tests/test_aaa.py": patching})[0] is Verdict.FAILED


def test_an_added_test_may_stand_on_a_file_of_lives_tests(shop: Shop) -> None:
    more = "from test_items import items\n\n\ndef test_more():\n    assert items({})[0] == 200\n"
    verdict, said = judged(shop, {"shop/app.py": FIXED, "shop/tests/test_more.py": more})
    assert (verdict, said) == (Verdict.PASSED, "all 2 tests of shop that passed still pass; so do 1 new ones, and they "
                                               "pass without the change too")


def test_tests_beside_the_code_are_tests(shop: Shop) -> None:
    case = shop.case({"shop/app.py": FIXED, "shop/shelf/test_more.py": "def test_more():\n    assert False\n"})
    spread = replace(case.config.services["shop"], tests="")
    case = replace(case, config=replace(case.config, services={"shop": spread}))
    verdict, said, _ = ServiceTests(case, "shop").judge()
    assert verdict is Verdict.FAILED and "new tests of the candidate fail" in said and "test_more" in said


@pytest.mark.parametrize("path", ["tests.py", "books/tests.py", "books/tests/shelf.py", "a/test_b.py", "a/b.test.ts"])
def test_what_belongs_to_tests_is_lives(path: str) -> None:
    assert is_test(path) and not is_test(path.replace("test", "text"))
