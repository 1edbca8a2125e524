"""A signature that an edit has made too long for its line, with a line for each parameter."""

from __future__ import annotations

import libcst as cst

from aiimprove.recipes.sources import Source, reparsed

USUAL_LENGTH = 100


def wrapped(source: Source, before: Source) -> Source:
    """The file with such signatures wrapped; a line may be as long as those that stood in it `before`."""
    most = max([USUAL_LENGTH, *map(len, before.text.splitlines())])
    while (function := _too_long(source, most)) is not None:
        module = source.module.deep_replace(function, _with_lines(function, source.module.default_indent))
        assert isinstance(module, cst.Module)
        source = reparsed(source, module.code)
    return source


def _too_long(source: Source, most: int) -> cst.FunctionDef | None:
    """A function with plain parameters only, all of them on its first line, which is too long."""
    lines, found = source.text.splitlines(), []

    class Functions(cst.CSTVisitor):
        def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
            found.append(node)

    source.module.visit(Functions())
    for node in found:
        parameters = node.params
        plain = parameters.params and not (parameters.posonly_params or parameters.kwonly_params
                                           or parameters.star_kwarg or isinstance(parameters.star_arg, cst.Param))
        first, last = source.lines(node.name).start.line, source.lines(parameters).end.line
        if plain and first == last and len(lines[first - 1]) > most:
            return node
    return None


def _with_lines(function: cst.FunctionDef, indent: str) -> cst.FunctionDef:
    each = _line_break(indent)
    parameters = [parameter.with_changes(comma=cst.Comma(whitespace_after=each), whitespace_after_param=_NOTHING)
                  for parameter in function.params.params]
    parameters[-1] = parameters[-1].with_changes(comma=cst.Comma(whitespace_after=_line_break("")))
    return function.with_changes(whitespace_before_params=each,
                                 params=function.params.with_changes(params=parameters))


_NOTHING = cst.SimpleWhitespace("")


def _line_break(indent: str) -> cst.ParenthesizedWhitespace:
    return cst.ParenthesizedWhitespace(first_line=cst.TrailingWhitespace(newline=cst.Newline()), indent=True,
                                       last_line=cst.SimpleWhitespace(indent))
