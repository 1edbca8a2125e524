from __future__ import annotations

import ast

import pytest

from aiimprove.mutation import changed_lines, chosen, mutants

PYTHON = '''\
import os

def page(number: Annotated[int, Query(ge=1, description="a page")] = 1) -> "list[int]":
    """Words that do nothing."""
    if number > 10 and not closed:
        send(number, key="v")
    _LOG.info("sent %s", number + 1)
    self.last = number + 5
    return {"error": "no such page"}
'''


def changes(text: str, path: str = "a.py", before: str = "") -> list[str]:
    return [f"{each.line} {each.change}" for each in mutants(path, before, text)]


def test_python_is_got_wrong_in_every_way_that_runs() -> None:
    assert changes(PYTHON) == [
        "3 1 is 0", "3 1 is 0", "3 1 is 2", "3 1 is 2", "3 drops ge=", "5 10 is 11", "5 10 is 9",
        "5 compares with gte", "5 compares with lte", "5 drops not", "5 says or", "5 turns the condition round",
        "6 'v' is 'vx'", "6 drops key=", "6 is left out", "8 5 is 4", "8 5 is 6", "8 is left out",
        "8 reckons with sub", "9 'error' is 'errorx'", "9 answers nothing"]


def test_every_mutant_is_another_program_in_the_changed_lines() -> None:
    before = PYTHON.replace("number > 10", "number > 9")
    found = mutants("a.py", before, PYTHON)
    assert {each.line for each in found} == {5} == changed_lines(before, PYTHON)
    assert len({ast.dump(ast.parse(each.text)) for each in found} | {ast.dump(ast.parse(PYTHON))}) == len(found) + 1
    for each in found:
        other = each.text.splitlines()
        assert [at for at, row in enumerate(PYTHON.splitlines()) if other[at] != row] == [4]


def test_places_are_found_behind_letters_of_several_bytes() -> None:
    assert mutants("a.py", "", "x = f('öäü', 7)\n")[-1].text in ("x = f('öäü', 6)\n", "x = f('öäü', 8)\n")


@pytest.mark.parametrize("text", ["import os\nimport sys\n", '"""Words."""\n', "x: 'int'\n", "print('x')\n",
                                  "def f(:\n", "f'{a > 1}'\n", "raise_error = None\n"])
def test_what_is_no_mistake_is_left_alone(text: str) -> None:
    assert changes(text) == []


def test_scripts_stay_programs() -> None:
    text = ('import a from "./a";\n// 1 === 2\nconst rows = [\n  { key: "X-Frame-Options", value: "DENY" },\n];\n'
            'if (a === 1 && b < 2) {\n  go("no such page");\n}\ntype A = "b";\n')
    assert changes(text, "a.ts") == [
        '4 "DENY" is "DENYx"', '4 "X-Frame-Options" is "X-Frame-Optionsx"', "4 is left out",
        "6 && is ||", "6 1 is 2", "6 2 is 3", "6 < is <=", "6 === is !==", "7 is left out"]


def test_migrations_lose_a_statement_or_a_column() -> None:
    text = "CREATE INDEX a ON notes (tag, day DESC);\nALTER TABLE notes ADD COLUMN more TEXT;\n"
    assert changes(text, "1.sql") == [
        "1 DESC is ASC", "1 drops column day DESC", "1 drops column tag", "1 indexes another value of day DESC",
        "1 indexes another value of tag", "1 is left out", "1 turns the columns round", "2 is left out"]


def test_a_few_are_spread_over_the_lines_and_always_the_same() -> None:
    every = mutants("a.py", "", PYTHON)
    few = chosen(every, 6)
    assert {each.line for each in few} == {3, 5, 6, 8, 9} and len(few) == 6
    assert few == chosen(every, 6) and chosen(every, 100) != every and len(chosen(every, 100)) == len(every)
    assert [each.line for each in chosen(every, 2)] == [3, 9] and chosen([], 5) == []
