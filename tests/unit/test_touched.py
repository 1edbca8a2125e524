"""Which lines of the live version a diff concerns."""

from __future__ import annotations

import pytest

from aiimprove.checks.touched import changed_lines, look

SOURCE = """import os

LIMIT = 3


@route("/items")
def items(page):
    # a page
    if page > LIMIT:
        raise ValueError(
            page)
    return [page]


async def other():
    return 1
"""
DIFF = """diff --git a/app.py b/app.py
--- a/app.py
+++ b/app.py
@@ -7,3 +7,4 @@
 def items(page):
+    page = int(page)
     # a page
-    if page > LIMIT:
+    if page > 4:
--- a/other.py
+++ b/other.py
@@ -1,2 +1,4 @@
 import os
+import sys
--- /dev/null
+++ b/new.py
@@ -0,0 +1 @@
+import os
"""


def test_what_a_diff_changes() -> None:
    assert changed_lines(DIFF) == {"app.py": [7, 9], "other.py": [0]}


@pytest.mark.parametrize(("changed", "lines", "calls", "complete"), [
    ([9], {9}, set(), True), ([11], {10, 11}, set(), True), ([7], set(), {6}, True), ([6], set(), {6}, True),
    ([8], set(), {6}, True), ([3], set(), set(), False), ([16], {16}, set(), True), ([0], set(), set(), False)])
def test_where_it_is_seen_to_run(changed: list[int], lines: set[int], calls: set[int], complete: bool) -> None:
    seen: tuple[set[int], set[int]] = (set(), set())
    assert look(SOURCE, changed, *seen) is complete and seen == (lines, calls)


def test_what_is_no_python_is_not_looked_into() -> None:
    assert look("def (", [1], set(), set()) is False
