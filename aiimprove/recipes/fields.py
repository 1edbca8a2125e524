"""Bounds on one integer: a parameter of a function, or a field of a model."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from aiimprove.recipes import Unsure
from aiimprove.recipes.imports import called, with_name
from aiimprove.recipes.sources import Source, argument, dotted, literal, reparsed

MARKERS = {"Query", "Path", "Field", "Body"}
_HOME = {"Query": "fastapi", "Path": "fastapi", "Body": "fastapi", "Field": "pydantic"}
EXPONENTS = (15, 16, 31, 32, 53, 63, 64)
MOST_DIVISOR = 1000


@dataclass(frozen=True)
class Bounds:
    """Least and most value, inclusive; None for an open side."""

    least: int | None
    most: int | None

    def arguments(self) -> dict[str, str]:
        """As keyword arguments, written the way a person would."""
        written = {"ge": self.least, "le": self.most}
        return {name: readable(value) for name, value in written.items() if value is not None}


@dataclass(frozen=True)
class Field:
    """A name with an annotation and perhaps a default, or with a type as its value; `marker` may carry the bounds."""

    source: Source
    node: cst.Param | cst.AnnAssign | cst.Assign
    marker: str

    @property
    def annotation(self) -> cst.BaseExpression:
        found = written_type(self.node)
        if found is None:
            raise Unsure("it has no annotation")
        return found

    @property
    def default(self) -> cst.BaseExpression | None:
        if isinstance(self.node, cst.Assign):
            return None
        return self.node.default if isinstance(self.node, cst.Param) else self.node.value


def written_type(node: cst.CSTNode) -> cst.BaseExpression | None:
    """The annotation of a name; the value of `Page = Annotated[...]`."""
    if isinstance(node, cst.Assign):
        return node.value
    annotation = node.annotation if isinstance(node, (cst.Param, cst.AnnAssign)) else None
    return annotation.annotation if annotation else None


def readable(value: int) -> str:
    """A bound in the form that tells where it comes from, such as 2**63 - 1."""
    for bits in EXPONENTS:
        if value in (2 ** bits - 1, 2 ** bits, -2 ** bits):
            return {2 ** bits - 1: f"2**{bits} - 1", 2 ** bits: f"2**{bits}"}.get(value, f"-(2**{bits})")
    for divisor in range(2, MOST_DIVISOR + 1) if abs(value) > 2 ** 48 else ():
        for form, quotient in ((f"(2**63 - 1) // {divisor}", (2 ** 63 - 1) // divisor),
                               (f"-(2**63 // {divisor})", -(2 ** 63 // divisor))):
            if abs(rest := value - quotient) <= 1:
                return form + {0: "", 1: " + 1", -1: " - 1"}[rest]
    return str(value) if abs(value) < 10_000 else f"{value:_}"


def bounded(field: Field, bounds: Bounds) -> Source:
    """The file with these bounds on the field; tighter ones that stand there already stay. Raises Unsure."""
    call = _marker_call(field.annotation) or _marker_call(field.default)
    if not _is_integer(field.annotation):
        raise Unsure(f"its type is {field.source.code(field.annotation)}, not a plain int")
    if call is not None:
        return _replaced(field.source, call, _with_arguments(call, bounds))
    if field.marker == "Field" and called(field.source, "sqlmodel", "SQLModel"):
        return _of_sqlmodel(field, bounds)
    source, marker = with_name(field.source, _HOME[field.marker], field.marker)
    words = ", ".join(f"{name}={value}" for name, value in bounds.arguments().items())
    metadata = f"{marker}({words})"
    annotation = _fresh(source, field)
    if (inner := _annotated(annotation)) is not None:
        changed: cst.BaseExpression = annotation.with_changes(slice=[
            *[each.with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))) for each in inner.slice],
            cst.SubscriptElement(cst.Index(cst.parse_expression(metadata)))])
        return _replaced(source, annotation, changed)
    old = source.code(annotation)
    source, name = with_name(source, "typing", "Annotated")
    return _replaced(source, _fresh(source, field), cst.parse_expression(f"{name}[{old}, {metadata}]"))


def _of_sqlmodel(field: Field, bounds: Bounds) -> Source:
    """SQLModel has a Field of its own, which is given as the default."""
    if not isinstance(field.node, cst.AnnAssign) or _annotated(field.annotation) is not None:
        raise Unsure("it is written in a way that SQLModel may read differently")
    source, marker = with_name(field.source, "sqlmodel", "Field")
    default = [f"default={source.code(field.default)}"] if field.default is not None else []
    words = ", ".join([*default, *(f"{name}={value}" for name, value in bounds.arguments().items())])
    nodes = (_all(field.source.module, cst.AnnAssign), _all(source.module, cst.AnnAssign))
    node = nodes[1][next(index for index, each in enumerate(nodes[0]) if each is field.node)]
    return _replaced(source, node, field.node.with_changes(value=cst.parse_expression(f"{marker}({words})"),
                                                           equal=_EQUAL))


_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(" "), cst.SimpleWhitespace(" "))


def _fresh(source: Source, field: Field) -> cst.BaseExpression:
    """The field's annotation in a later text of its file: names come in the same order."""
    kind = type(field.node)
    before, after = _all(field.source.module, kind), _all(source.module, kind)
    node = after[next(index for index, each in enumerate(before) if each is field.node)]
    found = written_type(node)
    assert found is not None
    return found


def _all(module: cst.Module, kind: type[cst.CSTNode]) -> list[cst.CSTNode]:
    found: list[cst.CSTNode] = []

    class Collector(cst.CSTVisitor):
        def on_visit(self, node: cst.CSTNode) -> bool:
            if isinstance(node, kind):
                found.append(node)
            return True

    module.visit(Collector())
    return found


def _replaced(source: Source, old: cst.CSTNode, new: cst.CSTNode) -> Source:
    module = source.module.deep_replace(old, new)
    assert isinstance(module, cst.Module)
    return reparsed(source, module.code)


def _annotated(annotation: cst.BaseExpression) -> cst.Subscript | None:
    named = isinstance(annotation, cst.Subscript) and dotted(annotation.value).rpartition(".")[2] == "Annotated"
    return annotation if named and isinstance(annotation, cst.Subscript) else None


def _elements(subscript: cst.Subscript) -> list[cst.BaseExpression]:
    return [each.slice.value for each in subscript.slice if isinstance(each.slice, cst.Index)]


def _marker_call(node: cst.BaseExpression | None) -> cst.Call | None:
    """The Query(...), Path(...) or Field(...) that a default is, or that an annotation carries."""
    if isinstance(node, cst.Call) and dotted(node.func).rpartition(".")[2] in MARKERS:
        return node
    inner = _annotated(node) if node is not None else None
    return next((call for each in _elements(inner)[1:] if (call := _marker_call(each))), None) if inner else None


def _is_integer(annotation: cst.BaseExpression) -> bool:
    """int, or int and None in one of their many spellings, perhaps within Annotated."""
    if isinstance(annotation, cst.Name):
        return annotation.value == "int"
    if isinstance(annotation, cst.BinaryOperation) and isinstance(annotation.operator, cst.BitOr):
        sides = [annotation.left, annotation.right]
        return sum(_is_integer(side) for side in sides) == 1 and sum(_is_none(side) for side in sides) == 1
    if isinstance(annotation, cst.Subscript):
        name, inner = dotted(annotation.value).rpartition(".")[2], _elements(annotation)
        if name in ("Annotated", "Optional"):
            return bool(inner) and _is_integer(inner[0])
        if name == "Union":
            return sum(map(_is_integer, inner)) == 1 and sum(map(_is_none, inner)) == len(inner) - 1
    return False


def _is_none(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


def _with_arguments(call: cst.Call, bounds: Bounds) -> cst.Call:
    arguments = list(call.args)
    for name, text in bounds.arguments().items():
        strict = {"ge": "gt", "le": "lt"}[name]
        if argument(call, strict) is not None:
            raise Unsure(f"it has a bound by {strict} already that did not keep it from crashing")
        index = next((index for index, each in enumerate(arguments) if each.keyword and each.keyword.value == name), -1)
        value = cst.parse_expression(text)
        if index < 0:
            arguments = _appended(arguments, name, value)
        elif _looser(arguments[index].value, name, bounds):
            arguments[index] = arguments[index].with_changes(value=value)
    if any(each.star for each in arguments):
        raise Unsure("its bounds come from elsewhere")
    return call.with_changes(args=arguments)


def _appended(arguments: list[cst.Arg], name: str, value: cst.BaseExpression) -> list[cst.Arg]:
    comma = next((each.comma for each in arguments[:-1]), cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
    last = arguments[-1].comma if arguments else cst.MaybeSentinel.DEFAULT
    if arguments:
        arguments = [*arguments[:-1], arguments[-1].with_changes(comma=comma)]
    no_space = cst.SimpleWhitespace("")
    equal = cst.AssignEqual(whitespace_before=no_space, whitespace_after=no_space)
    return [*arguments, cst.Arg(value, keyword=cst.Name(name), equal=equal, comma=last)]


def _looser(node: cst.BaseExpression, name: str, bounds: Bounds) -> bool:
    """Whether the bound that stands there lets through what crashes. Raises Unsure when it is not a number."""
    try:
        value = int(cst.Module([]).code_for_node(node).replace("_", ""))
    except ValueError as error:
        raise Unsure("it has a bound already that is not a plain number") from error
    wanted = bounds.least if name == "ge" else bounds.most
    return wanted is not None and (value < wanted if name == "ge" else value > wanted)


def alias_of(node: cst.Param | cst.AnnAssign | cst.Assign) -> str:
    """The name under which a visitor sends it, when that is not its own."""
    aliases = (literal(argument(call, "alias")) for call in _marker_calls(node))
    return next((alias for alias in aliases if alias), "")


def is_marked(node: cst.Param | cst.AnnAssign, marker: str) -> bool:
    """Whether it carries a Query(...), Path(...) or the like of that name."""
    return any(dotted(call.func).rpartition(".")[2] == marker for call in _marker_calls(node))


def _marker_calls(node: cst.Param | cst.AnnAssign | cst.Assign) -> list[cst.Call]:
    default = node.default if isinstance(node, cst.Param) else node.value
    return [call for each in (written_type(node), default) if (call := _marker_call(each))]
