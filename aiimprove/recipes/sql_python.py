"""What is inserted into a statement, as a value of Python."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

import libcst as cst

from aiimprove.recipes import Unsure
from aiimprove.recipes.crashed import Function, assigned, bindings
from aiimprove.recipes.sources import Source
from aiimprove.recipes.sql_values import Value

_OF_TEXTS = frozenset({"strip", "lstrip", "rstrip", "lower", "upper", "title", "casefold", "replace", "capitalize"})
_REQUESTS = frozenset({"args", "GET", "POST", "form", "values", "query_params", "cookies", "headers", "path_params"})
_NUMBERS = frozenset({"int", "float", "len", "round"})
_RESERVED = frozenset({"select", "from", "where", "value"})


@dataclass(frozen=True)
class Written:
    """A value as an expression, and a name for it."""

    name: str
    value: cst.BaseExpression


def python_value(source: Source, function: Function, parameter: str, value: Value) -> Written:
    """The value that is the same in the database as the text was. Raises Unsure where that is not plain."""
    codes = [part if isinstance(part, str) else source.code(part) for part in value.parts]
    trees = [ast.parse(code, mode="eval").body for part, code in zip(value.parts, codes, strict=True)
             if not isinstance(part, str)]
    for tree in trees:
        if any(isinstance(each, ast.Call) and ast.unparse(each.func).endswith("join") for each in ast.walk(tree)):
            raise Unsure("a list is inserted, whose length is not known")
        if any(isinstance(each, (ast.NamedExpr, ast.Await, ast.Yield)) for each in ast.walk(tree)):
            raise Unsure("what is inserted does something besides")
    name = _name(trees[0])
    if not value.quoted and not _plain(function, trees[0], parameter, 0):
        raise Unsure(f"it is not plain whether {codes[0]} is a value or a piece of SQL")
    if value.alone is not None:
        text = not value.quoted or _is_text(function, trees[0], parameter, 0)
        return Written(name, cst.parse_expression(codes[0] if text else f"str({codes[0]})"))
    return Written(name, cst.parse_expression(_formatted(value, codes)))


def _formatted(value: Value, codes: list[str]) -> str:
    """An f-string of texts around expressions."""
    texts = [part for part in value.parts if isinstance(part, str)]
    if any(mark in text for text in texts for mark in ('"', "\\", "\n")):
        raise Unsure("a text with quotes or line breaks stands around the value")
    inner = [code for part, code in zip(value.parts, codes, strict=True) if not isinstance(part, str)]
    quote = "'" if any('"' in code for code in inner) else '"'
    if any(quote in code or "\\" in code for code in (*inner, *(texts if quote == "'" else ()))):
        raise Unsure("a text with quotes or line breaks stands around the value")
    body = "".join(code.replace("{", "{{").replace("}", "}}") if isinstance(part, str) else f"{{{code}}}"
                   for part, code in zip(value.parts, codes, strict=True))
    return f"f{quote}{body}{quote}"


def steady(source: Source, function: Function, value: Value) -> None:
    """Raises Unsure when a variable may be another one by the time the statement is sent."""
    codes = [source.code(part) for part in value.parts if not isinstance(part, str)]
    for each in (node for code in codes for node in ast.walk(ast.parse(code, mode="eval"))):
        if isinstance(each, ast.Name) and bindings(function, each.id) > 1:
            raise Unsure(f"{each.id} is given in more than one place")


def _name(tree: ast.expr) -> str:
    """What a value may be called: the last word of its expression."""
    words = [each.value for each in ast.walk(tree) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    said = words[0] if words else tree.attr if isinstance(tree, ast.Attribute) else next(
        (each.id for each in ast.walk(tree) if isinstance(each, ast.Name)), "")
    name = re.sub(r"\W", "_", said)
    return name if re.match(r"[A-Za-z]\w*$", name) and name.lower() not in _RESERVED else "given"


def _is_text(function: Function, tree: ast.expr, parameter: str, depth: int) -> bool:
    """Whether an expression gives a text as far as can be seen."""
    if isinstance(tree, (ast.JoinedStr, ast.Constant)):
        return isinstance(tree, ast.JoinedStr) or isinstance(tree.value, str)
    if isinstance(tree, ast.Call):
        called = tree.func
        if not isinstance(called, ast.Attribute):
            return ast.unparse(called) == "str"
        return called.attr in _OF_TEXTS or (called.attr == "get" and _takes(tree, parameter))
    if isinstance(tree, ast.Subscript):
        return _takes(tree, parameter)
    if isinstance(tree, ast.BoolOp):
        return all(_is_text(function, each, parameter, depth) for each in tree.values)
    if not isinstance(tree, ast.Name):
        return isinstance(tree, ast.Attribute) and tree.attr == parameter
    argument = _argument(function, tree.id)
    if argument is not None:
        return tree.id == parameter if argument.annotation is None else bool(
            re.match(r"(Optional\[)?str\b", ast.unparse(argument.annotation))) or tree.id == parameter
    given = assigned(function, tree.id)
    return depth < 4 and len(given) == 1 and given[0].value is not None and _is_text(
        function, given[0].value, parameter, depth + 1)


def _plain(function: Function, tree: ast.expr, parameter: str, depth: int) -> bool:
    """Whether an expression without quotes around it can only be a number, or what a visitor sent for one."""
    if isinstance(tree, ast.Name):
        if _argument(function, tree.id) is not None:
            return tree.id == parameter or _numeric(_argument(function, tree.id))
        given = assigned(function, tree.id)
        return depth < 4 and len(given) == 1 and given[0].value is not None and _plain(
            function, given[0].value, parameter, depth + 1)
    if isinstance(tree, ast.Call) and ast.unparse(tree.func) in _NUMBERS:
        return True
    return _takes(tree, parameter) or (isinstance(tree, ast.Attribute) and tree.attr == parameter)


def _numeric(argument: ast.arg | None) -> bool:
    return bool(argument and argument.annotation and ast.unparse(argument.annotation) in ("int", "float"))


def _takes(tree: ast.expr, parameter: str) -> bool:
    """`request.args["q"]`, `request.GET.get("q", "")`, or the parameter out of anything else."""
    holder = tree.value if isinstance(tree, ast.Subscript) else tree.func.value if isinstance(
        tree, ast.Call) and isinstance(tree.func, ast.Attribute) and tree.func.attr == "get" else None
    names = [each.value for each in ast.iter_child_nodes(tree) if isinstance(each, ast.Constant)]
    return holder is not None and ((isinstance(holder, ast.Attribute) and holder.attr in _REQUESTS)
                                   or parameter in names)


def _argument(function: Function, name: str) -> ast.arg | None:
    every = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    return next((each for each in every if each.arg == name), None)
