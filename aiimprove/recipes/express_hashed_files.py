"""Files with a hash in their names, kept by browsers for a year: an option of express.static."""

from __future__ import annotations

import re
from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.hashed import HASHED
from aiimprove.recipes import Declined, Draft, Patch, Unsure, written
from aiimprove.recipes.clients import NO_TEST
from aiimprove.recipes.express import made_in, new_test
from aiimprove.recipes.hashed_files import CLAIM, KEPT
from aiimprove.recipes.sources import service_of
from aiimprove.settings import Config

_STATIC = re.compile(r"\bexpress\.static\(")
_PLAIN = re.compile(r"\bexpress\.static\(((?:[^(),]|path\.\w+\([^()]*\))+)\)")
_NAME = "keepHashedFiles"


class ExpressHashedFiles:
    """Gives `setHeaders` to express.static, which calls it for files that are there. Refuses where express.static is
    called with options of its own, in several places, or in another file than the one where the app is made."""

    name = "express_hashed_files"
    causes = ("hashed-not-kept",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service = service_of(finding, config)
    made = made_in(tree, service)
    found = list(_PLAIN.finditer(made.text))
    if len(found) != 1 or len(_STATIC.findall(made.text)) != 1 or found[0].start() < made.end:
        raise Unsure("express.static is not called once, without options, below the place where the app is made")
    if _NAME in made.text or "immutable" in made.text:
        raise Unsure("the app keeps files already")
    text = f"{made.text[:found[0].end() - 1]}, {{ setHeaders: {_NAME} }}{made.text[found[0].end() - 1:]}"
    pattern = HASHED.replace("/", "\\/")
    changed = type(made)(made.path, text, made.name, made.end, made.package).with_lines([
        "", f"function {_NAME}(response, file) {{", f"  if (/{pattern}/.test(file)) {{",
        f'    response.setHeader("Cache-Control", "{KEPT}");', "  }", "}"])
    path = str(finding.details["path"]).partition("?")[0]
    here = any(each.is_file() and "node_modules" not in each.parts
               for each in (tree / service.folder).rglob(path.rpartition("/")[2]))
    test = new_test(tree, service, made, "hashed-files", "files whose names hold a hash are kept", [
        f"const kept = await fetch(`${{base}}{path}`);",
        f'assert.strictEqual(kept.headers.get("cache-control"), "{KEPT}");']) if here else {}
    return Patch(f"{CLAIM}{'' if test else NO_TEST}", {made.path: changed} | test)
