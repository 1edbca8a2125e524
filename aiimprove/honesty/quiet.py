"""No log level may be lowered, and no line that reports an error may go."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from aiimprove.honesty.names import called, meanings, mentions
from aiimprove.honesty.written import Known, Written

LOUD = frozenset({"warning", "warn", "error", "exception", "critical", "fatal"})
SWITCHES = frozenset({"setLevel", "basicConfig", "dictConfig", "fileConfig", "addFilter", "removeHandler",
                      "logging.disable", "captureWarnings"})


def objections(written: Written, known: Known) -> Iterator[str]:
    if written.test or written.tree is None:
        return
    for each in mentions(written):
        last = each.name.rpartition(".")[2]
        if {last, each.name} & SWITCHES or (last in ("disabled", "propagate") and each.stored):
            yield written.at(each.line, f"changes what is logged ({last})")
        elif each.stored and each.name in ("sys.stderr", "sys.stdout", "sys.excepthook"):
            yield written.at(each.line, f"takes {each.name} away")
    gone = _loud(written.tree_before) - _loud(written.tree)
    if gone > 0:
        yield f"{written.path} reports {gone} errors less to its log"


def _loud(tree: ast.Module | None) -> int:
    names = meanings(tree)
    return sum("." in called(node, names) and called(node, names).rpartition(".")[2] in LOUD
               for node in (ast.walk(tree) if tree else ()))
