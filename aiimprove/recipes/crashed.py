"""The statement of a handler in which a value crashed it, as the traceback told the place."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from aiimprove.finding import Finding
from aiimprove.recipes import Unsure
from aiimprove.recipes.frameworks import Framework, framework_of
from aiimprove.recipes.sources import Source, insert_after

Function = ast.FunctionDef | ast.AsyncFunctionDef
_DEEPEST = 8
_SHARED = (ast.Lambda, ast.IfExp, ast.BoolOp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
           ast.NamedExpr)
_CAUGHT = frozenset({"Exception", "BaseException", "HTTPException", "Http404", "BadRequest"})


@dataclass(frozen=True)
class Crashed:
    """A handler, the line that raised in it, and the value of the request that made it."""

    source: Source
    handler: Function
    line: int
    parameter: str
    framework: Framework

    def at_line(self) -> Iterator[ast.AST]:
        """What stands on the line that raised."""
        for node in own(self.handler):
            if isinstance(node, ast.expr) and node.lineno <= self.line <= (node.end_lineno or 0):
                yield node

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that holds a node."""
        holding = [each for each in own(self.handler) if isinstance(each, ast.stmt) and node in ast.walk(each)]
        return min(holding, key=lambda each: sum(1 for _ in ast.walk(each)))

    def hangs_on_value(self, node: ast.AST, depth: int = 0) -> bool:
        """Whether a value of the request with the parameter's name goes into it, through variables too."""
        for each in ast.walk(node):
            if _mentions(each, self.parameter):
                return True
            if isinstance(each, ast.Name) and depth < _DEEPEST and any(
                    self.hangs_on_value(given.value, depth + 1) for given in assigned(self.handler, each.id)
                    if given.value is not None and given.value is not node):
                return True
        return False

    def quiet(self, node: ast.AST) -> None:
        """Raises Unsure when a refusal raised at this place would be caught by the handler itself."""
        for each in own(self.handler):
            if isinstance(each, ast.Try) and any(node in ast.walk(row) for row in each.body) and any(
                    _broad(caught) for caught in each.handlers):
                raise Unsure("the handler catches every exception at that place")

    def means_nothing_by_none(self, words: str) -> None:
        """Raises Unsure when the handler asks somewhere whether an expression is None or empty."""
        if any(words == ast.unparse(each) for node in own(self.handler) for each in _weighed(node)):
            raise Unsure(f"the handler asks elsewhere whether {words} is there: None may be meant")

    def refusing(self, line: int, beside: ast.stmt, condition: str, status: int) -> Source:
        """The file with a refusal on a condition after a line, as deep as the statement beside it. Raises Unsure."""
        lines = self.source.text.splitlines()
        indent = lines[beside.lineno - 1][:beside.col_offset]
        if indent.strip() or ";" in lines[(beside.end_lineno or beside.lineno) - 1]:
            raise Unsure("the place shares its line with something else")
        inner = indent + ("\t" if "\t" in indent else "    ")
        added, refusal = self.framework.refusing(self.source, status)
        moved = len(added.text.splitlines()) - len(lines)
        return insert_after(added, line + moved, [f"{indent}if {condition}:", f"{inner}{refusal}"])


def crashed_at(finding: Finding, sources: Sequence[Source], folder: str) -> Crashed:
    """Where it crashed. Raises Unsure when that is not known, or not in a handler of a framework that we know."""
    details = finding.details
    if not {"file", "function", "line", "parameter"} <= set(details):
        raise Unsure("it is not known where in the code it crashes")
    path = str(PurePosixPath(folder) / str(details["file"]))
    source = next((each for each in sources if each.path == path), None)
    if source is None:
        raise Unsure(f"{path} is not among the app's own files")
    line = int(details["line"])
    around = [each for each in ast.walk(ast.parse(source.text)) if isinstance(each, Function)
              and each.name == details["function"] and each.lineno <= line <= (each.end_lineno or 0)]
    if len(around) != 1:
        raise Unsure(f"line {line} of {path} is not in a function {details['function']} any more")
    return Crashed(source, around[0], line, str(details["parameter"]), framework_of(source, around[0]))


def own(function: Function) -> Iterator[ast.AST]:
    """What stands in a function, without its signature and the functions and classes in it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
        waiting += [each for each in ast.iter_child_nodes(node) if not isinstance(each, inner)]


def assigned(function: Function, name: str) -> list[ast.Assign | ast.AnnAssign]:
    """The plain assignments to a variable."""
    return [each for each in own(function) if (isinstance(each, ast.Assign) and len(each.targets) == 1
                                               and _is(each.targets[0], name))
            or (isinstance(each, ast.AnnAssign) and each.value is not None and _is(each.target, name))]


def shared(around: ast.AST, value: ast.AST) -> bool:
    """Whether an expression stands in something by which it is not always evaluated, or more than once, or kept."""
    return any(isinstance(each, _SHARED) and value in ast.walk(each) for each in ast.walk(around))


def bindings(function: Function, name: str) -> int:
    """How often a variable is bound, in whatever way."""
    stored = sum(1 for each in own(function) if _is(each, name) and isinstance(getattr(each, "ctx", None), ast.Store))
    return stored + sum(1 for each in ast.walk(function.args) if isinstance(each, ast.arg) and each.arg == name)


def _weighed(node: ast.AST) -> list[ast.expr]:
    """The expressions whose truth a node asks for, or that it compares with None."""
    if isinstance(node, (ast.If, ast.IfExp, ast.While, ast.Assert)):
        return [node.test]
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.Compare) and any(isinstance(each, (ast.Is, ast.IsNot)) for each in node.ops):
        return [node.left]
    return [node.operand] if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) else []


def _broad(caught: ast.ExceptHandler) -> bool:
    kinds = caught.type.elts if isinstance(caught.type, ast.Tuple) else [caught.type]
    return any(each is None or ast.unparse(each).rpartition(".")[2] in _CAUGHT for each in kinds)


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _mentions(node: ast.AST, parameter: str) -> bool:
    return (_is(node, parameter) or (isinstance(node, ast.Attribute) and node.attr == parameter)
            or (isinstance(node, ast.Constant) and node.value == parameter))
