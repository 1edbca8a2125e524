"""Finding the function that answers a route, among decorators, router prefixes and includes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst

from aiimprove.recipes import Unsure
from aiimprove.recipes.sources import Source, argument, dotted, literal

VERBS = {"get", "post", "put", "patch", "delete"}
_DEEPEST = 5


@dataclass(frozen=True)
class Endpoint:
    """A function and the file that it stands in."""

    source: Source
    function: cst.FunctionDef


@dataclass(frozen=True)
class _Decorated:
    handler: Endpoint
    router: str
    verbs: frozenset[str]
    path: str


@dataclass
class _Included:
    """`X.include_router(stem.name, prefix=...)`: of which router into which."""

    stem: str
    name: str
    into_stem: str
    into: str
    prefix: str


@dataclass
class _Map(cst.CSTVisitor):
    """What one file says about routes."""

    source: Source
    decorated: list[_Decorated] = field(default_factory=list)
    functions: list[cst.FunctionDef] = field(default_factory=list)
    prefixes: dict[str, str] = field(default_factory=dict)
    included: list[_Included] = field(default_factory=list)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.functions.append(node)
        for decorator in node.decorators:
            call = decorator.decorator
            if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute):
                self._route(node, call, dotted(call.func.value), call.func.attr.value)

    def _route(self, node: cst.FunctionDef, call: cst.Call, router: str, verb: str) -> None:
        path = literal(argument(call, "path", 0))
        if path is None or verb not in VERBS | {"api_route", "route"}:
            return
        methods = argument(call, "methods")
        named = [literal(each.value) or "" for each in methods.elements] if isinstance(
            methods, (cst.List, cst.Set, cst.Tuple)) else []
        verbs = {verb} if verb in VERBS else {name.lower() for name in named} or {"get"}
        self.decorated.append(_Decorated(Endpoint(self.source, node), router, frozenset(verbs), path))

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            self._made(dotted(target.target), node.value)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._made(dotted(node.target), node.value)

    def _made(self, name: str, value: cst.BaseExpression | None) -> None:
        if isinstance(value, cst.Call) and dotted(value.func).rpartition(".")[2] == "APIRouter":
            self.prefixes[name] = literal(argument(value, "prefix")) or ""

    def visit_Call(self, node: cst.Call) -> None:
        into, _, verb = dotted(node.func).rpartition(".")
        router = dotted(argument(node, "router", 0))
        if verb == "include_router" and router:
            stem, _, name = router.rpartition(".")
            prefix = literal(argument(node, "prefix")) or ""
            self.included.append(_Included(stem.rpartition(".")[2], name, self.source.stem, into, prefix))

    def visit_ImportFrom(self, node: cst.ImportFrom) -> None:
        stem = dotted(node.module).rpartition(".")[2]
        for alias in () if isinstance(node.names, cst.ImportStar) else node.names:
            name = dotted(alias.name)
            self.imported[dotted(alias.asname.name) if alias.asname else name] = (stem, name)


def find(sources: Sequence[Source], method: str, route: str, operation: str) -> Endpoint:
    """The function that answers `method route`. Raises Unsure when none, or more than one, might."""
    maps = [_mapped(source) for source in sources]
    includes = [_resolved(included, each) for each in maps for included in each.included]
    scored = [(score, decorated) for each in maps for decorated in each.decorated
              if method.lower() in decorated.verbs and (score := _score(decorated, each, includes, _plain(route)))]
    named = [row for row in scored if _names(operation, row[1].handler.function)]
    best = max((score for score, _ in named or scored), default=0)
    handlers = [decorated.handler for score, decorated in named or scored if score == best]
    if not handlers:
        handlers = [Endpoint(each.source, function) for each in maps for function in each.functions
                    if _names(operation, function)]
    if len(handlers) != 1:
        raise Unsure(f"{len(handlers) or 'no'} functions might answer {method} {route}")
    return handlers[0]


def _mapped(source: Source) -> _Map:
    found = _Map(source)
    source.module.visit(found)
    return found


def _resolved(included: _Included, where: _Map) -> _Included:
    """With the name that the router has in its own file."""
    if not included.stem:
        included.stem, included.name = where.imported.get(included.name, (where.source.stem, included.name))
    else:
        included.stem = where.imported.get(included.stem, ("", included.stem))[1]
    return included


def _score(decorated: _Decorated, where: _Map, includes: Sequence[_Included], route: str) -> int:
    """How much of the route the code spells out, plus one; 0 when it is another route."""
    own = where.prefixes.get(decorated.router, "") + decorated.path
    heads = {"", *_heads(where.source.stem, decorated.router, includes)}
    full = [_plain(head + own) for head in heads]
    return max((len(each) + 1 for each in full if route == each or (each.startswith("/") and route.endswith(each))
                or (not each and not decorated.path)), default=0)


def _heads(stem: str, name: str, includes: Sequence[_Included], depth: int = 0) -> Iterator[str]:
    for each in includes if depth < _DEEPEST else ():
        if (each.stem, each.name) == (stem, name):
            yield each.prefix
            for head in _heads(each.into_stem, each.into, includes, depth + 1):
                yield head + each.prefix


def _plain(path: str) -> str:
    """Without converters ({id:int}), and without the slash that some write at the end."""
    plain = re.sub(r"\{(\w+):\w+\}", r"{\1}", path)
    return plain.rstrip("/") if len(plain) > 1 else plain


def _names(operation: str, function: cst.FunctionDef) -> bool:
    return operation == function.name.value or operation.startswith(function.name.value + "_")
