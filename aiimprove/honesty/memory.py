"""Nothing that one request leaves for the next: no memoising, no state of the process that a handler writes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from aiimprove.honesty.names import meanings, mentions
from aiimprove.honesty.written import Known, Written

MEMOS = frozenset({"cache", "lru_cache", "cached_property", "cached", "memoize", "memoise", "TTLCache", "LRUCache",
                   "cachetools", "diskcache", "aiocache", "alru_cache", "Memory", "shelve", "WeakValueDictionary",
                   "WeakKeyDictionary", "ContextVar"})
WRITES = frozenset({"append", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "clear", "remove",
                    "discard", "appendleft", "popleft", "__setitem__"})
_MAKERS = frozenset({"dict", "list", "set", "collections.defaultdict", "collections.Counter", "collections.deque",
                     "collections.OrderedDict", "itertools.count", "itertools.cycle", "iter"})


def objections(written: Written, known: Known) -> Iterator[str]:
    if written.test or written.tree is None:
        return
    for each in mentions(written):
        if each.name.rpartition(".")[2] in MEMOS:
            yield written.at(each.line, f"remembers between requests ({each.name})")
    kept = _kept(written.tree)
    for node in written.nodes():
        if what := _writes(node, kept):
            yield written.at(getattr(node, "lineno", 0), f"remembers between requests ({what})")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(
                _mutable(each, meanings(written.tree)) for each in [*node.args.defaults, *node.args.kw_defaults]):
            yield written.at(node.lineno, f"remembers between requests (a default of {node.name})")


def _kept(tree: ast.Module) -> set[str]:
    """Names of the module, and of its functions and classes: what is kept in them lasts."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(
            node, ast.AnnAssign) else []
        found.update(each.id for each in targets if isinstance(each, ast.Name))
    return found


def _writes(node: ast.AST, kept: set[str]) -> str:
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        return f"{'global' if isinstance(node, ast.Global) else 'nonlocal'} {node.names[0]}"
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load) and _root(node) in kept:
        return _root(node)
    if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and _root(node) in kept:
        return f"{_root(node)}.{node.attr}"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES and (
            _root(node.func) in kept):
        return f"{_root(node.func)}.{node.func.attr}"
    return ""


def _root(node: ast.AST) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _mutable(node: ast.expr | None, names: dict[str, str]) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return names.get(node.func.id, node.func.id) in _MAKERS
    return isinstance(node, (ast.Dict, ast.List, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp))
