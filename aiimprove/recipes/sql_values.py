"""Which inserted expressions of an SQL statement stand where a value stands, and the values that take their place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import libcst as cst

from aiimprove.recipes import Unsure
from aiimprove.recipes.sql_text import MARK, Leaf, Statement, skeleton

_COMPARED = re.compile(r"(?:<=|>=|<>|!=|==?|<|>)$")
_COLUMN = re.compile(r"(?:[A-Za-z_][\w.]*|\"[^\"]+\"|`[^`]+`)\s*(?:<=|>=|<>|!=|==?|<|>)$")
_BEFORE_TEXT = re.compile(r"(?:\b(?:I?LIKE|GLOB|BETWEEN|AND|OR|THEN|ELSE|WHEN|SELECT)|<=|>=|<>|!=|==?|<|>|\|\||[(,])$",
                          re.IGNORECASE)
_LAST_OF_TWO = re.compile(r"\bBETWEEN\s+\S+\s+AND$", re.IGNORECASE)
_NAMES = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|BY|AS|COLLATE)\s*$", re.IGNORECASE)
_NUMBERS = re.compile(r"\b(?:LIMIT|OFFSET)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Value:
    """What is inserted at one place: texts of the statement around expressions. `quoted` says that it is a text in
    SQL."""

    parts: tuple[str | cst.BaseExpression, ...]
    quoted: bool

    @property
    def alone(self) -> cst.BaseExpression | None:
        """The expression, when nothing stands around it."""
        only = self.parts[0] if len(self.parts) == 1 else None
        return None if only is None or isinstance(only, str) else only

    def read(self, by_driver: bool) -> Value:
        """The value as the database gets it: a driver that fills in values takes `%%` for `%`."""
        parts = tuple(part.replace("%%", "%") if by_driver and isinstance(part, str) else part for part in self.parts)
        return Value(parts, self.quoted)


@dataclass
class _Scan:
    """Where in the statement one is: outside of quotes, or in a text that may turn out to hold an expression."""

    leaves: Sequence[Leaf]
    values: list[Value] = field(default_factory=list)
    inside: str = ""
    parts: list[str | cst.BaseExpression] = field(default_factory=list)
    began: tuple[int, int] = (0, 0)
    raw: str = ""

    def text(self, index: int, text: str) -> None:
        at = 0
        while at < len(text):
            char = text[at]
            twice = self.inside == char and text[at:at + 2] == char * 2
            if self.inside:
                at += self._in_quotes(index, char, twice)
                continue
            if text[at:at + 2] in ("--", "/*"):
                raise Unsure("the statement holds a comment")
            if char in "'\"`":
                self.inside, self.parts, self.raw = char, [], ""
                self.began = (index, len(self.leaves[index].kept))
            self.leaves[index].kept += char
            at += 1

    def _in_quotes(self, index: int, char: str, twice: bool) -> int:
        self.leaves[index].kept += char * (2 if twice else 1)
        if char == self.inside and not twice:
            self._end(index)
            return 1
        if self.parts and isinstance(self.parts[-1], str):
            self.parts[-1] += char
        else:
            self.parts.append(char)
        return 2 if twice else 1

    def _end(self, index: int) -> None:
        """A text is over: where expressions stand in it, all of it becomes one value."""
        quote, self.inside = self.inside, ""
        if all(isinstance(part, str) for part in self.parts):
            return
        if quote != "'":
            raise Unsure("a value stands in double quotes, where a name may stand")
        leaf, start = self.began
        if leaf != index and any(each.kept for each in self.leaves[leaf + 1:index]):
            raise Unsure("a text of the statement is spread over several strings")
        tail = self.leaves[leaf].kept[:start] + MARK
        self.leaves[leaf].kept, self.leaves[index].kept = (tail, tail) if leaf == index else (tail, "")
        self.values.append(Value(tuple(self.parts), True))

    def expression(self, index: int, inserted: cst.BaseExpression) -> None:
        if self.inside:
            self.parts.append(inserted)
        else:
            self.leaves[index].kept += MARK
            self.values.append(Value((inserted,), False))


def values(statement: Statement) -> list[Value]:
    """The values of a statement, in their order; its leaves keep the rest, with a mark for each. Raises Unsure when
    something is inserted where a name or a piece of SQL stands."""
    scan = _Scan(statement.leaves)
    for item in statement.items:
        if item.inserted is None:
            scan.text(item.leaf, item.text)
        else:
            scan.expression(item.leaf, item.inserted)
    if scan.inside:
        raise Unsure("a text of the statement does not end")
    whole = skeleton(statement.leaves)
    if len(scan.values) != whole.count(MARK):
        raise Unsure("the statement is put together in an unusual way")
    before = 0
    for value in scan.values:
        place = whole.index(MARK, before)
        _stands_as_value(whole[:place].replace(MARK, "1"), whole[place + 1:], value)
        before = place + 1
    return scan.values


def _stands_as_value(before: str, after: str, value: Value) -> None:
    """Raises Unsure when a name, a list or SQL may stand there."""
    head = before.rstrip()
    if _NAMES.search(head) or re.match(r"[\w.(]", after) or re.search(r"[\w.]$", before):
        raise Unsure("the name of a table or a column is inserted, which cannot be bound")
    if _NUMBERS.search(head):
        raise Unsure("a number of rows is inserted, not a value that is compared")
    holder = _holder(head)
    if holder == "IN":
        raise Unsure("a list is inserted, whose length is not known")
    if value.quoted:
        good = bool(_BEFORE_TEXT.search(head))
    else:
        good = holder == "VALUES" and head[-1:] in "(," if not _COMPARED.search(head) else bool(_COLUMN.search(head))
        good = good or bool(_LAST_OF_TWO.search(head)) or bool(re.search(r"\bBETWEEN$", head, re.IGNORECASE))
    if not good:
        raise Unsure("what is inserted stands where no value stands")


def _holder(head: str) -> str:
    """The word before the innermost parenthesis that is open: IN, VALUES, a function or nothing."""
    depth, bare = 0, re.sub(r"'(?:[^']|'')*'", lambda match: "1" * len(match[0]), head)
    for place in range(len(bare) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(bare[place], 0)
        if depth < 0:
            word = re.search(r"(\w+)\s*$", bare[:place])
            rows = re.search(r"\bVALUES\s*\([^()]*\)\s*,\s*$", bare[:place], re.IGNORECASE)
            return "VALUES" if rows else word[1].upper() if word else ""
    return ""
