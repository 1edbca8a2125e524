"""The call that sends a statement: how its driver writes a bound value, and what is bound already."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from aiimprove.recipes import Unsure
from aiimprove.recipes.arguments import appended
from aiimprove.recipes.frameworks import imported
from aiimprove.recipes.imports import called
from aiimprove.recipes.sources import Source, dotted
from aiimprove.recipes.sql_text import MARK, Leaf, Statement, skeleton

SENDERS = frozenset({"execute", "raw", "exec", "scalar", "scalars", "execute_fetchall"})
_NOT_WRITTEN = {"executemany": "the same statement is sent with many rows", "executescript": "it is a script"}
_DRIVERS = {"sqlite3": "?", "aiosqlite": "?", "psycopg": "%s", "psycopg2": "%s", "pymysql": "%s", "MySQLdb": "%s"}
_BOUND = re.compile(r"'(?:[^']|'')*'|(\?|%s|\x00)")


@dataclass(frozen=True)
class Sending:
    """A call with a statement: `text` is SQLAlchemy's text(...) around it, `call` what sends it (None: not seen).
    `later` says that the statement is a variable first."""

    statement: Statement
    call: cst.Call | None
    text: cst.Call | None = None
    later: bool = False


def is_text(source: Source, call: cst.Call) -> bool:
    """Whether this is SQLAlchemy's text()."""
    names = {called(source, module, "text") for module in ("sqlalchemy", "sqlalchemy.sql", "sqlmodel")}
    return dotted(call.func) in (names | {"db.text", "sa.text"}) - {""}


def sends(call: cst.Call) -> bool:
    """Whether a call may send a statement. Raises Unsure when it sends one many times."""
    name = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    if name in _NOT_WRITTEN:
        raise Unsure(_NOT_WRITTEN[name])
    return name in SENDERS and bool(call.args) and call.args[0].keyword is None


def blank(source: Source, sources: Sequence[Source], sending: Sending) -> str:
    """How a bound value is written: `?`, `%s` or `:`. Raises Unsure when the driver is not plain."""
    if sending.text is not None:
        if any(re.search(r"\basyncpg\b", each.text) for each in sources):
            raise Unsure("asyncpg wants each value in the type of its column")
        return ":"
    name = dotted(sending.call.func) if sending.call else ""
    own = imported(source)
    if "django" in own or name.endswith(".raw"):
        return "%s"
    known = {_DRIVERS[each] for each in own if each in _DRIVERS}
    if not known and "sqlalchemy" not in own:
        known = {_DRIVERS[each] for other in sources for each in imported(other) if each in _DRIVERS}
    if len(known) != 1 or "asyncpg" in own:
        raise Unsure("it is not plain which driver sends the statement")
    return known.pop()


def bind_in_text(sending: Sending, mark: str, fresh: bool, names: Sequence[str]) -> None:
    """Writes the blanks into what is kept of the statement. `fresh` says that nothing was bound before, so that the
    driver has not looked at percent signs yet."""
    waiting = list(names)
    for leaf in sending.statement.leaves:
        kept = leaf.kept.replace("%", "%%") if mark == "%s" and fresh else leaf.kept
        while MARK in kept:
            kept = kept.replace(MARK, f":{waiting.pop(0)}" if mark == ":" else mark, 1)
        leaf.kept = kept


def bound_already(leaves: Sequence[Leaf], mark: str) -> list[bool]:
    """For each place of a bound value whether it is a new one, in their order."""
    found = [match[1] for match in _BOUND.finditer(skeleton(leaves)) if match[1]]
    return [each == MARK for each in found if each in (MARK, mark)]


def with_values(call: cst.Call, values: Sequence[cst.BaseExpression], places: Sequence[bool], mark: str,
                django: bool) -> cst.Call:
    """The call with these values among those that it binds. Raises Unsure when it is not plain which it binds."""
    given = call.args[1].value if len(call.args) > 1 else None
    if len(call.args) > 2 or (given is not None and (not isinstance(given, (cst.Tuple, cst.List))
                                                     or call.args[1].keyword is not None or call.args[1].star)):
        raise Unsure("it is not plain which values are bound already")
    old = [each.value for each in given.elements] if isinstance(given, (cst.Tuple, cst.List)) else []
    if places.count(False) != len(old) or places.count(True) != len(values):
        raise Unsure("it is not plain which values are bound already")
    rows, new = iter(old), iter(values)
    every = [next(new) if fresh else next(rows) for fresh in places]
    wanted = "[]" if isinstance(given, cst.List) or (given is None and django) else "()"
    comma = "," if len(every) == 1 and wanted == "()" else ""
    inner = ", ".join(cst.Module([]).code_for_node(each) for each in every)
    made = cst.parse_expression(f"{wanted[0]}{inner}{comma}{wanted[1]}")
    if given is None:
        return appended(call, cst.Arg(made))
    return call.with_changes(args=[call.args[0], call.args[1].with_changes(value=made)])


def with_names(call: cst.Call, names: Sequence[tuple[str, cst.BaseExpression]]) -> cst.Call:
    """The call with a dictionary of these values as its second argument. Raises Unsure when it has others."""
    if len(call.args) > 1:
        raise Unsure("it is not plain which values are bound already")
    inner = ", ".join(f'"{name}": {cst.Module([]).code_for_node(value)}' for name, value in names)
    return appended(call, cst.Arg(cst.parse_expression(f"{{{inner}}}")))
