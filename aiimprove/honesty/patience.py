"""No timeout may be raised or taken away: what is too slow stays too slow."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from aiimprove.honesty.written import Known, Written

WORDS = ("timeout", "deadline", "time_limit", "max_wait", "retries", "max_attempts")


def objections(written: Written, known: Known) -> Iterator[str]:
    before: dict[str, list[float]] = defaultdict(list)
    for name, node in _named(written.tree_before):
        before[name].append(_amount(node))
    for name, node in _named(written.tree):
        if getattr(node, "lineno", 0) in written.added and before[name] and _amount(node) > max(before[name]):
            yield written.at(node.lineno, f"raises {name}")


def _named(tree: ast.Module | None) -> Iterator[tuple[str, ast.expr]]:
    """Numbers, and None, that are given to a name which speaks of patience."""
    for node in ast.walk(tree) if tree else ():
        pairs: list[tuple[object, ast.expr | None]] = []
        if isinstance(node, ast.keyword):
            pairs = [(node.arg, node.value)]
        elif isinstance(node, ast.Assign):
            pairs = [(getattr(each, "id", getattr(each, "attr", "")), node.value) for each in node.targets]
        elif isinstance(node, ast.AnnAssign):
            pairs = [(getattr(node.target, "id", getattr(node.target, "attr", "")), node.value)]
        elif isinstance(node, ast.Dict):
            pairs = [(getattr(key, "value", ""), value) for key, value in zip(node.keys, node.values, strict=True)]
        for name, value in pairs:
            if isinstance(value, ast.Constant) and any(word in str(name).lower() for word in WORDS):
                yield str(name), value


def _amount(node: ast.expr) -> float:
    value = getattr(node, "value", None)
    return float("inf") if value is None else float(value) if isinstance(value, (int, float)) else 0.0
