"""Mistakes in JavaScript and TypeScript, by tokens: only such as leave the file a program that can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKENS = re.compile(
    r"""(?P<skip>//[^\n]*|/\*.*?\*/|`(?:\\.|[^`\\])*`|/(?![/*\s])(?:\\.|[^/\\\n])+/(?=[gimsuy]*\s*[.,;)]))"""
    r"""|(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<number>(?<![\w.])\d+(?:\.\d+)?(?![\w.]))|(?P<word>[A-Za-z_$][\w$]*)"""
    r"""|(?P<operator>===|!==|==|!=|<=|>=|&&|\|\||\?\?| < | > | \+ | - | \* )""", re.DOTALL)
OTHER = {"===": "!==", "!==": "===", "==": "!=", "!=": "==", "<=": "<", ">=": ">", " < ": " <= ", " > ": " >= ",
         "&&": "||", "||": "&&", "??": "&&", " + ": " - ", " - ": " + ", " * ": " + ", "true": "false",
         "false": "true"}
_WHOLE = re.compile(r"^\s*(?!import\b|export\b|const\b|let\b|var\b|return\b|type\b|interface\b|[}\])])\S.*[,;]\s*$")


def mutated(text: str, lines: set[int]) -> Iterator[tuple[int, str, str]]:
    """Line, change and the whole text of each mutant on these lines."""
    rows = text.splitlines(keepends=True)
    for match in _TOKENS.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        other = _instead(match)
        if line in lines and other is not None and not _names_things(rows[line - 1]):
            yield (line, f"{match[0].strip()} is {other.strip()}", text[:match.start()] + other + text[match.end():])
    for line in sorted(lines):
        if line <= len(rows) and _WHOLE.match(rows[line - 1]) and _balanced(rows[line - 1]):
            yield line, "is left out", "".join([*rows[:line - 1], *rows[line:]])


def _names_things(row: str) -> bool:
    """Imports and types: a change there is no other program, or none at all."""
    return re.match(r"\s*(import|export \*|export \{|type|interface|\* |//)", row) is not None


def _instead(match: re.Match[str]) -> str | None:
    if match["number"]:
        return str(int(match[0]) + 1) if match[0].isdigit() else f"{match[0]}1"
    if match["string"] and len(match[0]) > 2 and " " not in match[0]:
        return match[0][:-1] + "x" + match[0][-1]
    return OTHER.get(match[0]) if match["word"] or match["operator"] else None


def _balanced(row: str) -> bool:
    return all(row.count(one) == row.count(two) for one, two in ("()", "[]", "{}")) and row.count("`") % 2 == 0
