"""No answers that were worked out beforehand: no long tables, no long texts."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from aiimprove.honesty.written import Known, Written

MOST_ITEMS = 40
MOST_CHARACTERS = 800


def objections(written: Written, known: Known) -> Iterator[str]:
    if written.test:
        return
    for node in written.nodes():
        if isinstance(node, (ast.List, ast.Tuple, ast.Set, ast.Dict)) and _constants(node) > MOST_ITEMS:
            yield written.at(node.lineno, f"holds a table of {_constants(node)} values")
        elif isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) and (
                len(node.value) > MOST_CHARACTERS):
            yield written.at(node.lineno, f"holds a text of {len(node.value)} characters")


def _constants(node: ast.AST) -> int:
    return sum(isinstance(each, ast.Constant) for each in ast.walk(node))
