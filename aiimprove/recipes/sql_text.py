"""The text of an SQL statement as the code puts it together: what stands in it, and where values are inserted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import libcst as cst

from aiimprove.recipes import Unsure
from aiimprove.recipes.sources import dotted

Text = cst.SimpleString | cst.FormattedString
MARK = "\x00"
"""Stands in a skeleton where a value is inserted."""
_SLOTS = re.compile(r"%%|%s|%d|%(.)")
_FIELDS = re.compile(r"\{\{|\}\}|\{(\w*)\}|[{}]")


@dataclass
class Leaf:
    """One string of the code: what stands in it is kept as it is written there."""

    node: Text
    kept: str = ""

    @property
    def quote(self) -> str:
        return self.node.quote if isinstance(self.node, cst.SimpleString) else self.node.end

    def code(self) -> str:
        return f"{self.quote}{self.kept}{self.quote}"


@dataclass(frozen=True)
class Item:
    """A stretch of text of a leaf, or an inserted expression."""

    leaf: int
    text: str = ""
    inserted: cst.BaseExpression | None = None


@dataclass
class Statement:
    """A statement of several items; `joined` when `+` puts strings together, which then become one."""

    node: cst.BaseExpression
    leaves: list[Leaf] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    joined: bool = False

    @property
    def dynamic(self) -> bool:
        return any(item.inserted is not None for item in self.items)

    def rebuilt(self) -> cst.BaseExpression:
        """The node with the strings that were kept, and without what was inserted."""
        if self.joined:
            if len({leaf.quote for leaf in self.leaves}) != 1:
                raise Unsure("the strings of the statement are quoted differently")
            quote = self.leaves[0].quote
            return cst.parse_expression(f"{quote}{''.join(leaf.kept for leaf in self.leaves)}{quote}")
        return _with_leaves(self.node, {id(leaf.node): leaf for leaf in self.leaves})


def statement(node: cst.BaseExpression) -> Statement | None:
    """What a string, or an expression of strings, is made of; None when it is something else. Raises Unsure."""
    found = Statement(node)
    return found if _read(node, found) and found.leaves else None


def _read(node: cst.BaseExpression, into: Statement) -> bool:
    if isinstance(node, (cst.SimpleString, cst.FormattedString)):
        _leaf(node, into)
    elif isinstance(node, cst.ConcatenatedString):
        return _read(node.left, into) and _read(node.right, into)
    elif isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        return _sum(node, into)
    elif isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Modulo):
        return _filled(node.left, into, _SLOTS, _given(node.right))
    elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "format":
        return _filled(node.func.value, into, _FIELDS, _arguments(node))
    else:
        return False
    return True


def _leaf(node: Text, into: Statement) -> None:
    prefix = node.prefix.lower() if isinstance(node, cst.SimpleString) else node.start.rstrip("'\"").lower()
    if prefix not in ("", "f"):
        raise Unsure(f"the statement is a string of the kind {prefix}")
    into.leaves.append(Leaf(node))
    index = len(into.leaves) - 1
    if isinstance(node, cst.SimpleString):
        into.items.append(Item(index, node.raw_value))
        return
    for part in node.parts:
        if isinstance(part, cst.FormattedStringText):
            into.items.append(Item(index, part.value.replace("{{", "{").replace("}}", "}")))
        elif isinstance(part, cst.FormattedStringExpression):
            if part.conversion or part.format_spec is not None or part.equal is not None:
                raise Unsure("a value is formatted in the statement")
            into.items.append(Item(index, inserted=part.expression))


def _sum(node: cst.BinaryOperation, into: Statement) -> bool:
    into.joined = True
    for side in (node.left, node.right):
        if not _read(side, into):
            into.items.append(Item(max(0, len(into.leaves) - 1), inserted=_unwrapped(side)))
    return bool(into.leaves) and bool(into.items[0].text)


def _unwrapped(node: cst.BaseExpression) -> cst.BaseExpression:
    """`x` of `str(x)`."""
    plain = isinstance(node, cst.Call) and dotted(node.func) == "str" and len(node.args) == 1
    return node.args[0].value if plain and isinstance(node, cst.Call) else node


def _filled(text: cst.BaseExpression, into: Statement, slots: re.Pattern[str],
            given: Mapping[str, cst.BaseExpression]) -> bool:
    """The items of a string with blanks, and what is put into them."""
    if not _read(text, into) or into.dynamic or into.joined:
        return False
    numbers = (str(number) for number in range(len(given) + 1))
    into.items = [item for each in into.items for item in _split(each, slots, given, numbers)]
    return True


def _split(item: Item, slots: re.Pattern[str], given: Mapping[str, cst.BaseExpression],
           numbers: Iterator[str]) -> Iterator[Item]:
    start = 0
    for match in slots.finditer(item.text):
        yield Item(item.leaf, item.text[start:match.start()])
        start = match.end()
        if match[0] in ("%%", "{{", "}}"):
            yield Item(item.leaf, match[0][0])
            continue
        name = match[1] if slots is _FIELDS and match[1] else next(numbers)
        if match[0] in ("{", "}") or (slots is _SLOTS and match[1] is not None) or name not in given:
            raise Unsure("a value is formatted in the statement")
        yield Item(item.leaf, inserted=given[name])
    yield Item(item.leaf, item.text[start:])


def _given(right: cst.BaseExpression) -> Mapping[str, cst.BaseExpression]:
    """What `%` puts in, by its number."""
    if isinstance(right, (cst.Dict, cst.StarredElement)):
        raise Unsure("the statement is filled from a dictionary")
    values = [each.value for each in right.elements] if isinstance(right, cst.Tuple) else [right]
    return {str(number): value for number, value in enumerate(values)}


def _arguments(call: cst.Call) -> Mapping[str, cst.BaseExpression]:
    """What `format` puts in, by name or number."""
    if any(each.star for each in call.args):
        raise Unsure("the statement is filled from a list or a dictionary")
    return {each.keyword.value if each.keyword else str(number): each.value for number, each in enumerate(call.args)}


def _with_leaves(node: cst.BaseExpression, leaves: Mapping[int, Leaf]) -> cst.BaseExpression:
    if id(node) in leaves:
        made = cst.parse_expression(leaves[id(node)].code())
        assert isinstance(node, (cst.SimpleString, cst.FormattedString))
        return made.with_changes(lpar=node.lpar, rpar=node.rpar)
    if isinstance(node, cst.ConcatenatedString):
        return node.with_changes(left=_with_leaves(node.left, leaves), right=_with_leaves(node.right, leaves))
    inner = node.left if isinstance(node, cst.BinaryOperation) else node.func.value if isinstance(
        node, cst.Call) and isinstance(node.func, cst.Attribute) else None
    if inner is None:
        raise Unsure("the statement is put together in an unusual way")
    return _with_leaves(inner, leaves)


def skeleton(leaves: Sequence[Leaf]) -> str:
    """The whole statement, with a mark for each value."""
    return "".join(leaf.kept for leaf in leaves)
