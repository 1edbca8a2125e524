"""Mistakes in Python: another comparison, border, condition, sum, constant or answer; a call or argument left out."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import cast

Found = tuple[ast.AST, str, ast.AST | None]
"""A node, what is done to it in words, and what stands there instead (None: nothing, the statement is left out)."""

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,)}
RECKONED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult}
FOR_READERS = frozenset({"description", "title", "summary", "example", "examples", "tags", "help", "stacklevel"})
"""Arguments that change what a person reads, and nothing that a program does."""
_SAYING = ("print", "log", "_log", "logger", "_logger", "logging", "warnings")


def mutated(text: str, lines: set[int]) -> Iterator[tuple[int, str, str]]:
    """Line, change and the whole text of each mutant on these lines; none when it is no Python of ours."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    meant = ast.dump(tree)
    for node, change, instead in _found(tree, _unspoken(tree)):
        if all(line in lines for line in range(_line(node), _last(node) + 1)):
            made = _with(text, node, instead)
            if made is not None and ast.dump(made[0]) != meant:
                yield _line(node), change, made[1]


def _line(node: ast.AST) -> int:
    return cast(int, getattr(node, "lineno", 0))


def _last(node: ast.AST) -> int:
    return cast(int, getattr(node, "end_lineno", 0))


def _unspoken(tree: ast.Module) -> set[int]:
    """Nodes that are left alone: documentation, logging, imports, formatted strings (whose places Python 3.11 misses),
    and words in annotations, which name types."""
    still: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.JoinedStr)) or (
                isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) or (
                isinstance(node, ast.Call) and _root(node.func) in _SAYING):
            still |= {id(inner) for inner in ast.walk(node)}
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            still |= {id(inner) for inner in ast.walk(annotation) if isinstance(inner, ast.Constant)
                      and not isinstance(inner.value, (int, float))} if annotation else set()
        if isinstance(node, ast.keyword) and node.arg in FOR_READERS:
            still |= {id(inner) for inner in ast.walk(node)}
    return still


def _found(tree: ast.Module, still: set[int]) -> Iterator[Found]:
    for node in ast.walk(tree):
        if id(node) in still or not hasattr(node, "lineno"):
            continue
        for maker in (_comparison, _condition, _sum, _constant, _answer, _left_out, _argument):
            yield from maker(node)


def _comparison(node: ast.AST) -> Iterator[Found]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in COMPARED[type(node.ops[0])]:
            yield node, f"compares with {_word(other())}", _changed(node, ops=[other()])


def _condition(node: ast.AST) -> Iterator[Found]:
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield node, f"says {_word(other)}", _changed(node, op=other)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node, "drops not", node.operand
    if isinstance(node, (ast.If, ast.While, ast.IfExp)) and not isinstance(node.test, (ast.Compare, ast.UnaryOp)):
        yield node.test, "turns the condition round", ast.UnaryOp(ast.Not(), node.test)


def _sum(node: ast.AST) -> Iterator[Found]:
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in RECKONED:
        other = RECKONED[type(node.op)]()
        yield node, f"reckons with {_word(other)}", _changed(node, op=other)


def _constant(node: ast.AST) -> Iterator[Found]:
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield node, f"{value} is {not value}", ast.Constant(not value)
    elif isinstance(value, (int, float)):
        for other in (value + 1, value - 1) if value else (1,):
            yield node, f"{value} is {other}", ast.Constant(other)
    elif isinstance(value, (str, bytes)) and value and not _prose(value):
        longer = value + "x" if isinstance(value, str) else value + b"x"
        yield node, f"{value!r} is {longer!r}", ast.Constant(longer)


def _prose(value: str | bytes) -> bool:
    """Words for people: no program tells them apart."""
    return " " in value if isinstance(value, str) else b" " in value


def _answer(node: ast.AST) -> Iterator[Found]:
    if isinstance(node, ast.Return) and node.value is not None and not (
            isinstance(node.value, ast.Constant) and node.value.value is None):
        yield node, "answers nothing", ast.Return(ast.Constant(None))


def _left_out(node: ast.AST) -> Iterator[Found]:
    value = node.value if isinstance(node, ast.Expr) else None
    call = value.value if isinstance(value, ast.Await) else value
    does = isinstance(call, ast.Call) and _root(call.func) not in _SAYING
    sets = isinstance(node, ast.Assign) and not any(isinstance(target, ast.Name) for target in node.targets)
    if does or sets or isinstance(node, (ast.AugAssign, ast.Raise, ast.Delete)):
        yield node, "is left out", None


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id.lower() if isinstance(node, ast.Name) else ""


def _argument(node: ast.AST) -> Iterator[Found]:
    for keyword in node.keywords if isinstance(node, ast.Call) else ():
        if keyword.arg and keyword.arg not in FOR_READERS:
            assert isinstance(node, ast.Call)
            rest = [each for each in node.keywords if each is not keyword]
            yield node, f"drops {keyword.arg}=", _changed(node, keywords=rest)


def _changed(node: ast.AST, **fields: object) -> ast.AST:
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _word(operator: ast.AST) -> str:
    return type(operator).__name__.lower()


def _with(text: str, node: ast.AST, instead: ast.AST | None) -> tuple[ast.Module, str] | None:
    """The text with other words in a node's place; None when that is no program."""
    start, end = _place(text, node)
    words = "pass" if instead is None else ast.unparse(instead)
    if isinstance(instead, ast.expr) and not isinstance(instead, ast.Constant):
        words = f"({words})"
    raw = text.encode()
    made = (raw[:start] + words.encode() + raw[end:]).decode()
    try:
        return ast.parse(made), made
    except SyntaxError:
        return None


def _place(text: str, node: ast.AST) -> tuple[int, int]:
    """Where a node begins and ends, in bytes."""
    starts = [0]
    for line in text.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return (starts[_line(node) - 1] + cast(int, getattr(node, "col_offset", 0)),
            starts[_last(node) - 1] + cast(int, getattr(node, "end_col_offset", 0)))
