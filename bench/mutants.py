"""Wrong programs made of right ones: each mutant differs in one place; for bench/judge.py."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator

_SWAPS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,), ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Add, ast.FloorDiv),
    ast.FloorDiv: (ast.Mult, ast.Mod), ast.Div: (ast.Mult,), ast.Mod: (ast.FloorDiv, ast.Add), ast.And: (ast.Or,),
    ast.Or: (ast.And,), ast.BitAnd: (ast.BitOr,), ast.BitXor: (ast.BitAnd,), ast.Pow: (ast.Mult,)}


def mutants(text: str) -> Iterator[str]:
    """Each program that differs from this one in an operator, a number, a condition, a statement, a value, a name or
    the order of two arguments."""
    seen, names = {ast.unparse(ast.parse(text))}, _named(ast.parse(text))
    for place in range(sum(1 for _ in ast.walk(ast.parse(text)))):
        node = list(ast.walk(ast.parse(text)))[place]
        for change in (*_changes(node), *_confusions(node, names)):
            tree = ast.parse(text)
            change(list(ast.walk(tree))[place])
            written = ast.unparse(ast.fix_missing_locations(tree))
            if written not in seen:
                seen.add(written)
                yield written + "\n"


def _changes(node: ast.AST) -> Iterator[Callable[[ast.AST], None]]:
    if isinstance(node, ast.Compare):
        yield from (_set("ops", [kind()]) for kind in _SWAPS.get(type(node.ops[0]), ()) if len(node.ops) == 1)
    elif isinstance(node, (ast.BinOp, ast.BoolOp, ast.AugAssign)):
        yield from (_set("op", kind()) for kind in _SWAPS.get(type(node.op), ()))
    elif isinstance(node, ast.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool):
        yield from (_set("value", node.value + step) for step in (-1, 1))
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield _set("value", not node.value)
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        yield _set("test", ast.UnaryOp(ast.Not(), copy.deepcopy(node.test)))
    if isinstance(node, ast.Return) and node.value is not None:
        yield _set("value", ast.Constant(None))
    body = getattr(node, "body", None)
    if isinstance(body, list) and not isinstance(node, ast.Module):
        yield from (_without(place) for place in range(len(body)) if not isinstance(body[place], ast.FunctionDef))


def _confusions(node: ast.AST, names: list[str]) -> Iterator[Callable[[ast.AST], None]]:
    """A variable taken for another one, and arguments turned round."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        yield from (_set("id", each) for each in names if each != node.id)
    if isinstance(node, ast.Call) and len(node.args) == 2 and not node.keywords:
        yield _set("args", [copy.deepcopy(each) for each in reversed(node.args)])


def _named(tree: ast.Module) -> list[str]:
    """Its arguments and variables."""
    nodes = list(ast.walk(tree))
    stored = {each.id for each in nodes if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)} - {"NAME"}
    return sorted({each.arg for each in nodes if isinstance(each, ast.arg)} | stored)


def _set(name: str, value: object) -> Callable[[ast.AST], None]:
    return lambda node: setattr(node, name, value)


def _without(place: int) -> Callable[[ast.AST], None]:
    def change(node: ast.AST) -> None:
        node.body[place] = ast.Pass()  # type: ignore[attr-defined]
    return change
