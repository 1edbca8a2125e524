"""A place is known again after files were moved and renamed."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiimprove.detectors.functions import lasting_name

STORE = """
class Store:
    def find(self, key):
        return {}[key]

def find_all():
    def one():
        return 1 / 0
    return [one() for _ in range(3)]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "store.py").write_text(STORE)
    (tmp_path / "app" / "broken.py").write_text("def find(:\n")
    return tmp_path


@pytest.mark.parametrize(("function", "name"), [
    ("find", "Store.find"), ("find_all", "find_all"), ("one", "find_all.one"), ("gone", "gone"),
    ("<module>", "store.<module>"), ("<lambda>", "store.<lambda>")])
def test_a_function_is_called(folder: Path, function: str, name: str) -> None:
    assert lasting_name(folder, "app/store.py", function, 0) == name


def test_it_is_called_the_same_after_its_file_moved(folder: Path) -> None:
    (folder / "app" / "storage").mkdir()
    (folder / "app" / "store.py").rename(folder / "app" / "storage" / "rows.py")
    assert lasting_name(folder, "app/storage/rows.py", "find", 0) == "Store.find"


def test_two_of_one_name_are_told_apart(folder: Path) -> None:
    (folder / "app" / "other.py").write_text("async def find_all():\n    pass\n\n\ndef find(): ...\n")
    assert lasting_name(folder, "app/store.py", "find_all", 0) == "store.find_all"
    assert lasting_name(folder, "app/other.py", "find_all", 0) == "other.find_all"
    assert lasting_name(folder, "app/other.py", "find", 0) == "find"  # the other one is Store.find
    (folder / "app" / "both.py").write_text("class A:\n    def get(self): ...\n\n\nclass B:\n    def get(self): ...\n")
    assert [lasting_name(folder, "app/both.py", "get", line) for line in (2, 6, 4)] == ["A.get", "B.get", "get"]
