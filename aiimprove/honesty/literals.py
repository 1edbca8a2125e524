"""Nothing of the probe may stand in the code: a fix that knows what it will be asked is none."""

from __future__ import annotations

import ast
import json
import operator
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from aiimprove.finding import Finding, Json
from aiimprove.honesty.written import Known, Written

LEAST_NUMBER = 100
"""Smaller numbers stand in any code."""
LEAST_TEXT = 4
_MOST_BITS = 200
_OPERATIONS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Pow: lambda base, power: int(base ** power) if abs(base) < LEAST_NUMBER and 0 <= power < _MOST_BITS else 0,
    ast.LShift: lambda value, bits: value << bits if 0 <= bits < _MOST_BITS else 0}


def objections(written: Written, known: Known) -> Iterator[str]:
    if written.test or known.finding is None:
        return
    numbers, texts = _asked(known.finding)
    old = written.before or ""
    inner: set[int] = set()  # a limit may be written as 2**63 - 1, and nobody is asked 2**63 by that
    for node in written.nodes():
        if id(node) in inner:
            continue
        value = _value(node)
        inner.update(id(each) for each in ast.walk(node) if value is not None)
        if isinstance(value, (int, float)) and abs(value) in numbers:
            yield written.at(getattr(node, "lineno", 0), f"holds a value of the probe ({value})")
        elif isinstance(value, str) and any(each in value and each not in old for each in texts):
            yield written.at(getattr(node, "lineno", 0), "holds a text of the probe")
    for line, text in written.lines() if written.script else ():
        if any(each in text and each not in old for each in texts):
            yield written.at(line, "holds a text of the probe")


def _value(node: ast.AST) -> int | float | str | None:
    """What a constant is, or what an expression of constants comes to."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, (int, float, str)) and not isinstance(node.value, bool) else None
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        left, right = _value(node.left), _value(node.right)
        if isinstance(left, int) and isinstance(right, int):
            return _OPERATIONS[type(node.op)](left, right)
    return None


def _asked(finding: Finding) -> tuple[set[float], set[str]]:
    """Numbers and texts that the probe sends, without those that an honest bound may name."""
    numbers: set[float] = set()
    texts: set[str] = set()
    request = finding.probe.request
    for each in [request, *request.get("also", ())]:
        for value in _sent(each):
            if number := _number(value):
                numbers.add(abs(number))
            elif len(str(value)) >= LEAST_TEXT:
                texts.add(str(value))
    return numbers - _borders(finding), texts


def _sent(request: Json) -> Iterator[Json]:
    address = urlsplit(str(request.get("path", "")))
    if len(address.path.strip("/")) >= LEAST_TEXT:
        yield unquote(address.path)
    yield from (unquote(part) for part in address.path.split("/") if _number(part))
    yield from (value for _, value in parse_qsl(address.query))
    if request.get("sql"):
        yield " ".join(str(request["sql"]).split())
    yield from _leaves(request.get("body"))


def _leaves(body: Json) -> Iterator[Json]:
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            yield body
            return
    if isinstance(body, (dict, list)):
        for each in body.values() if isinstance(body, dict) else body:
            yield from _leaves(each) if isinstance(each, (dict, list)) else [each]


def _number(value: Json) -> float:
    """The number that a value is, 0 when it is none or too small to mean anything."""
    try:
        found = int(value) if not isinstance(value, float) else value
    except (TypeError, ValueError):
        return 0
    return found if abs(found) >= LEAST_NUMBER else 0


def _borders(finding: Finding) -> set[float]:
    """The last values that pass, and the first that do not."""
    rows = [finding.details, *finding.details.get("parameters", ())]
    found = [row[name] for row in rows for name in ("lowest_ok", "highest_ok") if row.get(name) is not None]
    return {abs(value + step) for value in found for step in (-1, 0, 1)}
