"""Adding an import where it belongs, in the order that the file already keeps."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import libcst as cst

from aiimprove.recipes import Unsure
from aiimprove.recipes.sources import Source, dotted, insert_after, reparsed


def with_name(source: Source, module: str, name: str) -> tuple[Source, str]:
    """The file with `module.name` at hand, and how it is called there."""
    at_hand = called(source, module, name)
    if at_hand:
        return source, at_hand
    alias = name if name not in bound(source) else f"{module.rpartition('.')[2].capitalize()}{name}"
    existing = _from(source, module)
    if existing is not None and not isinstance(existing.names, cst.ImportStar):
        return _joined(source, existing, name, alias), alias
    text = f"from {module} import {name}" + ("" if alias == name else f" as {alias}")
    return _new_line(source, module, text), alias


def with_module(source: Source, module: str) -> Source:
    """The file with `import module` at hand. Raises Unsure when something else is called so."""
    if any(isinstance(each, cst.Import) and any(dotted(alias.name) == module and not alias.asname
                                                for alias in each.names) for each in _imports(source)):
        return source
    if module in bound(source):
        raise Unsure(f"{source.path} has something called {module} already")
    return _new_line(source, module, f"import {module}", is_from=False)


def called(source: Source, module: str, name: str) -> str:
    """How `module.name` can be written in this file, empty when it was not imported."""
    for statement in _imports(source):
        for alias in () if isinstance(statement.names, cst.ImportStar) else statement.names:
            local = dotted(alias.asname.name) if alias.asname else dotted(alias.name)
            if isinstance(statement, cst.ImportFrom) and (dotted(statement.module), dotted(alias.name)) == (module,
                                                                                                         name):
                return local if not statement.relative else ""
            if isinstance(statement, cst.Import) and dotted(alias.name) == module:
                return f"{local}.{name}"
    return ""


def bound(source: Source) -> set[str]:
    """Every name that is bound at the top of the file."""
    names = set()
    for statement in _imports(source):
        for alias in () if isinstance(statement.names, cst.ImportStar) else statement.names:
            names.add(dotted(alias.asname.name) if alias.asname else dotted(alias.name).partition(".")[0])
    for row in source.module.body:
        if isinstance(row, (cst.FunctionDef, cst.ClassDef)):
            names.add(row.name.value)
        for small in row.body if isinstance(row, cst.SimpleStatementLine) else ():
            if isinstance(small, cst.Assign):
                names |= {dotted(target.target) for target in small.targets}
    return names


def _imports(source: Source) -> list[cst.Import | cst.ImportFrom]:
    return [small for row in source.module.body if isinstance(row, cst.SimpleStatementLine) for small in row.body
            if isinstance(small, (cst.Import, cst.ImportFrom))]


def _from(source: Source, module: str) -> cst.ImportFrom | None:
    return next((each for each in _imports(source) if isinstance(each, cst.ImportFrom) and not each.relative
                 and dotted(each.module) == module), None)


def _joined(source: Source, statement: cst.ImportFrom, name: str, alias: str) -> Source:
    """The name among the others of a `from` import, where its alphabet wants it."""
    names = list(statement.names) if not isinstance(statement.names, cst.ImportStar) else []
    keys = [_order(dotted(each.name)) for each in names]
    sorted_already = keys == sorted(keys)
    index = sum(key < _order(name) for key in keys) if sorted_already else len(names)
    asname = None if alias == name else cst.AsName(cst.Name(alias), cst.SimpleWhitespace(" "),
                                                   cst.SimpleWhitespace(" "))
    comma = next((each.comma for each in names[:-1]), cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
    added = cst.ImportAlias(cst.Name(name), asname, comma)
    if index == len(names):
        added = added.with_changes(comma=names[-1].comma)
        names[-1] = names[-1].with_changes(comma=comma)
    names.insert(index, added)
    module = source.module.deep_replace(statement, statement.with_changes(names=names))
    assert isinstance(module, cst.Module)
    return reparsed(source, module.code)


def _order(name: str) -> tuple[int, str]:
    """CONSTANTS, then Classes, then the rest: what import sorters do."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2, name)


@dataclass(frozen=True)
class _Line:
    first: int
    last: int
    module: str
    is_from: bool
    group: int


def _new_line(source: Source, module: str, text: str, is_from: bool = True) -> Source:
    lines = [_line(source, row) for row in source.module.body if _is_import(row)]
    group = _group(module, False)
    same = _first_block([line for line in lines if line.group == group])
    if same:
        before = [line for line in same if (line.is_from, line.module) < (is_from, module)]
        return insert_after(source, before[-1].last if before else same[0].first - 1, [text])
    earlier = [line for line in lines if line.group < group]
    if earlier:
        return insert_after(source, earlier[-1].last, ["", text])
    later = [line for line in lines if line.group > group]
    if later:
        return insert_after(source, later[0].first - 1, [text, ""])
    docstring = source.module.body[0] if source.module.body and source.module.get_docstring() is not None else None
    return insert_after(source, source.lines(docstring).end.line, ["", text]) if docstring else insert_after(
        source, 0, [text, "", ""])


def _first_block(lines: list[_Line]) -> list[_Line]:
    """The lines up to the first gap: other packages stand in front of the app's own."""
    gaps = (index for index in range(1, len(lines)) if lines[index].first > lines[index - 1].last + 1)
    return lines[:next(gaps, len(lines))]


def _is_import(row: cst.CSTNode) -> bool:
    return isinstance(row, cst.SimpleStatementLine) and isinstance(row.body[0], (cst.Import, cst.ImportFrom))


def _line(source: Source, row: cst.CSTNode) -> _Line:
    assert isinstance(row, cst.SimpleStatementLine)
    small, where = row.body[0], source.lines(row)
    if isinstance(small, cst.ImportFrom):
        return _Line(where.start.line, where.end.line, dotted(small.module), True,
                     _group(dotted(small.module), bool(small.relative)))
    assert isinstance(small, cst.Import)
    name = dotted(small.names[0].name)
    return _Line(where.start.line, where.end.line, name, False, _group(name, False))


def _group(module: str, relative: bool) -> int:
    """__future__, the standard library, other packages, the app's own by dots."""
    top = module.partition(".")[0]
    if relative:
        return 3
    return 0 if top == "__future__" else 1 if top in sys.stdlib_module_names else 2
