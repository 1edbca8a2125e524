"""The proof of a list that asked for every row: both versions are counted, on copies that record."""

from __future__ import annotations

from dataclasses import replace

import pytest
from proof_shop import APP, SERVICE, Shop

from aiimprove.evidence import Check, Verdict
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.proving import Case, prove

LOOPED = APP.replace("def names(query):\n", '''\
def names(query):
    with sqlite3.connect(os.environ["SHOP_DB"]) as connection:
        for number in range(6):
            connection.execute("SELECT note FROM item WHERE id = ?", (number,)).fetchone()
''')
LESS_OFTEN = LOOPED.replace("range(6)", "range(5)")
FINDING = Finding("repeated_sql", Kind.PERFORMANCE, "repeated-statements", "shop/names item", "t", "s",
                  Probe("statements", "shop", {"method": "GET", "path": "/names", "table": "item"}, {"at_most": 2}))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


def counted(case: Case) -> Check:
    service = replace(SERVICE, runtime="python")
    evidence = prove(replace(case, config=replace(case.config, services={"shop": service}), checks=("probe",)))
    [check] = [each for each in evidence.checks if each.name == "probe"]
    return check


def test_a_list_that_asks_once_passes(shop: Shop) -> None:
    looped = shop.case({"shop/app.py": LOOPED}, FINDING)
    mended = counted(replace(looped, baseline=looped.candidate, candidate=shop.baseline))
    assert mended.verdict is Verdict.PASSED, mended
    assert "before: 6 times the same statement on item; after: 1 times" in mended.summary


@pytest.mark.slow
def test_one_that_asks_less_often_or_never_repeated_does_not(shop: Shop) -> None:
    looped = shop.case({"shop/app.py": LOOPED}, FINDING)
    still = counted(replace(shop.case({"shop/app.py": LESS_OFTEN}, FINDING), baseline=looped.candidate))
    assert still.verdict is Verdict.FAILED and "5 times the same statement" in still.summary
    never = counted(shop.case({"shop/app.py": APP + "\n"}, FINDING))
    assert never.verdict is Verdict.FAILED and "not reproduced" in never.summary
