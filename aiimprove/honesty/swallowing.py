"""No new place where every exception ends: a crash that nobody hears of is still a crash."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from aiimprove.honesty.names import called, full_name, meanings
from aiimprove.honesty.written import Known, Written

BROAD = frozenset({"Exception", "BaseException", "builtins.Exception", "builtins.BaseException", "ExceptionGroup",
                   "BaseExceptionGroup", "StandardError"})
_SERVER_ERROR = 500


def objections(written: Written, known: Known) -> Iterator[str]:
    if written.test:
        return
    names = meanings(written.tree)
    for node in written.nodes():
        if isinstance(node, ast.ExceptHandler) and (node.type is None or _broad(node.type, names)):
            yield written.at(node.lineno, "catches every exception")
        elif called(node, names).endswith("suppress") and isinstance(node, ast.Call) and any(
                _broad(each, names) for each in node.args):
            yield written.at(node.lineno, "catches every exception (suppress)")
        elif isinstance(node, ast.Call) and "exception_handler" in called(node, names) and any(
                _broad(each, names) or _is_500(each) for each in node.args):
            yield written.at(node.lineno, "answers for every exception")
        elif isinstance(node, (ast.Return, ast.Break, ast.Continue)) and _in_finally(written, node):
            yield written.at(node.lineno, "ends every exception (a return in finally)")


def _broad(node: ast.expr, names: dict[str, str]) -> bool:
    if isinstance(node, ast.Tuple):
        return any(_broad(each, names) for each in node.elts)
    return full_name(node, names) in BROAD


def _is_500(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == _SERVER_ERROR


def _in_finally(written: Written, node: ast.stmt) -> bool:
    return any(node in ast.walk(each) for tried in ast.walk(written.tree or ast.Module([], []))
               if isinstance(tried, ast.Try) for each in tried.finalbody)
