"""The environment variables that Python code reads: with what default, and whether it ends without them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from aiimprove.recognition.sources import Sources

_READERS = ("os.getenv", "os.environ.get", "environ.get", "getenv")
_MAPPING = re.compile(r"(^|\.)(environ|environment)\.get$")
_TYPED = ("str", "bool", "int", "url", "list", "db", "float", "path", "db_url", "dj_db_url")


@dataclass(frozen=True)
class Variable:
    """`default` is what the code takes without it, as source; `words` are the texts in that; `goes_to` is the name that
    its value is given to."""

    name: str
    where: str
    path: str
    required: bool = False
    default: str = ""
    words: tuple[str, ...] = ()
    goes_to: str = ""


def variables(at: Sources) -> list[Variable]:
    """Every variable that the code names, once for each place."""
    return [each for path, tree in at.python() for each in _Reader(at, path, tree).found()]


class _Reader:
    def __init__(self, at: Sources, path: str, tree: ast.Module) -> None:
        self._at, self._path, self._tree = at, path, tree
        text = at.text(path)
        self._short = ("config",) * ("decouple" in text or "starlette.config" in text) + ("env",) * (
            "environ" in text or "environs" in text)
        self._done: set[int] = set()

    def found(self) -> Iterator[Variable]:
        guarded = {id(inner) for node in ast.walk(self._tree) if isinstance(node, ast.Try)
                   for each in node.body for inner in ast.walk(each)}
        for node in ast.walk(self._tree):
            if isinstance(node, ast.ClassDef) and any("BaseSettings" in ast.unparse(base) for base in node.bases):
                yield from self._settings(node)
            goes_to = _target(node)
            for inner in ast.walk(node) if goes_to else (node,):
                yield from self._read(inner, goes_to, id(inner) in guarded)

    def _read(self, node: ast.AST, goes_to: str, guarded: bool) -> Iterator[Variable]:
        if id(node) in self._done:
            return
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and (read := self._inside(node.values[0])):
            self._done |= {id(node), id(read)}
            yield self._variable(node, self._name(read), node.values[1:], goes_to)
        elif isinstance(node, ast.Call) and self._name(node):
            self._done.add(id(node))
            default = [*node.args[1:2], *(each.value for each in node.keywords if each.arg == "default")]
            called = ast.unparse(node.func)
            must = called not in _READERS and not _MAPPING.search(called) and not default and not guarded
            yield self._variable(node, self._name(node), default, goes_to, must)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and self._name(node):
            self._done.add(id(node))
            yield self._variable(node, self._name(node), [], goes_to, not guarded)

    def _inside(self, node: ast.AST) -> ast.AST | None:
        """What reads a variable in an expression, also when more is done with the value."""
        return next((each for each in ast.walk(node) if self._name(each)), None)

    def _name(self, node: ast.AST) -> str:
        """The variable that an expression reads; empty when it reads none."""
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) in ("os.environ", "environ"):
            return _text(node.slice)
        if not isinstance(node, ast.Call):
            return ""
        called = ast.unparse(node.func)
        reads = called in _READERS or called in self._short or bool(_MAPPING.search(called)) or (
            called.partition(".")[0] in self._short and called.rpartition(".")[2] in _TYPED)
        if reads and called.endswith(".db") and not node.args:
            return "DATABASE_URL"
        return _text(node.args[0]) if reads and node.args else ""

    def _variable(self, node: ast.AST, name: str, default: list[ast.expr], goes_to: str,
                  required: bool = False) -> Variable:
        words = tuple(text for each in default for inner in ast.walk(each) if (text := _text(inner)))
        return Variable(name, self._at.where(self._path, getattr(node, "lineno", 0)), self._path, required,
                        ", ".join(ast.unparse(each) for each in default), words, goes_to)

    def _settings(self, node: ast.ClassDef) -> Iterator[Variable]:
        """The fields of pydantic's BaseSettings."""
        prefix = next((_text(each.value) for each in ast.walk(node) if isinstance(each, ast.keyword)
                       and each.arg == "env_prefix"), "")
        for field in node.body:
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) \
                    and not field.target.id.startswith("model_") and "ClassVar" not in ast.unparse(field.annotation):
                default = [field.value] if field.value is not None else []
                open_ = not default or ast.unparse(default[0]).startswith("Field(...")
                yield self._variable(field, (prefix + field.target.id).upper(), default, field.target.id, open_)


def _target(node: ast.AST) -> str:
    """The name that a statement, a keyword or a row of a dict gives its value to."""
    if isinstance(node, ast.Assign):
        target = node.targets[0]
        return _text(target.slice) if isinstance(target, ast.Subscript) else ast.unparse(target).rpartition(".")[2]
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return ast.unparse(node.target)
    return node.arg or "" if isinstance(node, ast.keyword) else ""


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
