"""The two pages about what is looked for and what is written: from the detectors and recipes themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from aiimprove.detectors import DETECTORS
from aiimprove.recipes import RECIPES

PACKAGE = Path(__file__).resolve().parent.parent / "aiimprove"
PARTS = Path(__file__).resolve().parent / "parts"

DETECTORS_HEAD = """# Detectors

Made from `aiimprove/detectors/` by `python docs/generate.py`. Do not edit this page.

A detector looks at a private running copy of live, never at live itself, and yields findings. Each finding carries a
probe: a check that fails now and has to pass after a fix. `config.toml` may name those that look (`detectors`);
none named means all. `aiimprove findings` lists what they saw. What can be written for a finding stands in
[recipes.md](recipes.md).
"""

RECIPES_HEAD = """# Recipes

Made from `aiimprove/recipes/` by `python docs/generate.py`. Do not edit this page.

A recipe writes the patch for a cause that a [detector](detectors.md) found, by rule, offline and without a key. Where
it is not sure it declines with a sentence, and the finding waits for an author. The sentences stand below as the code
has them; `…` is what it fills in. A recipe that is about another kind of program says nothing. No recipe adds a
dependency to the app. Every patch goes through the whole [proof](lifecycle.md#the-checks-of-a-proof).
"""

PROBES = {"http": "a request to the app, and what a good answer to it is",
          "query-plan": "a statement, and a plan that reads no whole table for it",
          "beside": "a second request, answered while the first still runs",
          "alike": "two requests whose texts differ, and are answered alike",
          "hanging": "a request that makes the app ask a server which never answers, answered in time all the same",
          "again": "a file, and the answer to a browser that has it already",
          "statements": "a request, and how often the app sends the same statement for it"}


def detectors_page() -> str:
    """docs/detectors.md."""
    parts = [DETECTORS_HEAD, *(_detector(name) for name in DETECTORS), _part("detector")]
    return "\n".join(parts)


def recipes_page() -> str:
    """docs/recipes.md."""
    return "\n".join([RECIPES_HEAD, *(_recipe(name) for name in RECIPES), _part("recipe")])


def _part(name: str) -> str:
    return (PARTS / f"add-a-{name}.md").read_text("utf-8")


def _detector(name: str) -> str:
    tree = _parsed("detectors", name)
    text = (PACKAGE / "detectors" / f"{name}.py").read_text("utf-8")
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    kinds = sorted({match.lower() for match in re.findall(r"\bKind\.([A-Z]+)", text)})
    probes = [said for kind, said in PROBES.items() if re.search(rf'Probe\("{kind}"', text)]
    writers = [each for each, (_, causes) in RECIPES.items() if words & set(causes)]
    rows = [("Kind", ", ".join(kinds)), ("Proven by", "; ".join(probes)),
            ("Written by", ", ".join(f"[{each}](recipes.md#{each})" for each in writers)
             or "nobody yet: an author is needed")]
    return _entry(name, tree, DETECTORS[name], rows)


def _recipe(name: str) -> str:
    tree, (kind, causes) = _parsed("recipes", name), RECIPES[name]
    tests = any(isinstance(node, ast.Call) and re.search(r"new_test|new_case|_test$", ast.unparse(node.func))
                for node in ast.walk(tree))
    rows = [("Cause", ", ".join(f"`{cause}`" for cause in causes)),
            ("Proven by", "the probe of the finding" + ("; a test in the app's own tests comes with it, where it is "
                                                        "plain how they get at the app" if tests else ""))]
    refusals = "".join(f"- {said}\n" for said in _refusals(name))
    return _entry(name, tree, kind, rows) + (f"\nDeclines when it has to say:\n\n{refusals}" if refusals else "")


def _entry(name: str, tree: ast.Module, kind: str, rows: Iterable[tuple[str, str]]) -> str:
    shape = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == kind)
    said = [" ".join((ast.get_docstring(node) or "").split()) for node in (tree, shape)]
    table = "".join(f"| {head} | {cell} |\n" for head, cell in rows if cell)
    return f"## {name}\n\n{said[0]} {said[1]}\n\n| | |\n|---|---|\n{table}"


def _parsed(package: str, name: str) -> ast.Module:
    return ast.parse((PACKAGE / package / f"{name}.py").read_text("utf-8"))


def _refusals(name: str) -> list[str]:
    """What a recipe says when it declines: in its own file, and in what it calls of the files beside it."""
    tree = _parsed("recipes", name)
    found = list(_said(tree))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("aiimprove.recipes."):
            names = {alias.name for alias in node.names}
            beside = _parsed("recipes", (node.module or "").rpartition(".")[2])
            found += [said for each in beside.body if getattr(each, "name", "") in names for said in _said(each)]
    return list(dict.fromkeys(found))


def _said(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        call = node.exc if isinstance(node, ast.Raise) else node
        if isinstance(node, ast.Raise) and isinstance(call, ast.Call) and ast.unparse(call.func) == "Unsure":
            yield from _texts(call.args[0])
        elif isinstance(call, ast.Call) and ast.unparse(call.func) == "refuse" and len(call.args) == 3:
            yield from _texts(call.args[2])


def _texts(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body), *_texts(node.orelse)]
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(each.value) if isinstance(each, ast.Constant) else "…" for each in node.values)]
    return []
