"""Security headers of a Next.js site, in its configuration where that is a plain object."""

from __future__ import annotations

import json
import re
from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Elsewhere, Patch, Unsure, written
from aiimprove.recipes.security_headers import wanted
from aiimprove.recipes.sources import service_of
from aiimprove.settings import Config, Service

_NAMES = ("next.config.ts", "next.config.mjs", "next.config.js")
_OBJECT = re.compile(r"^(?:export default|module\.exports =|(?:const|let|var) \w+(?:\s*:\s*\w+)? =) \{[ \t]*$",
                     re.MULTILINE)


class NextHeaders:
    """Adds `headers()` to next.config, unless it is there or the object cannot be found for sure."""

    name = "next_headers"
    causes = ("missing-security-headers",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service, missing = service_of(finding, config), wanted(finding)
    found = [name for name in _NAMES if (tree / service.folder / name).is_file()]
    if not found:
        raise Elsewhere(f"{service.folder} holds no Next.js site")
    if len(found) > 1:
        raise Unsure(f"{service.folder} has several next.config files")
    path = str(Path(service.folder) / found[0])
    text = (tree / path).read_text(encoding="utf-8")
    if re.search(r"\bheaders\b", text):
        raise Unsure(f"{path} speaks of headers already")
    places = list(_OBJECT.finditer(text))
    if len(places) != 1 or not _is_exported(text, places[0][0]):
        raise Unsure(f"{path} does not hold its configuration in one plain object")
    at = places[0].end()
    test = _test(tree, service, found[0], missing)
    changed = text[:at] + "\n" + _lines(missing) + text[at:]
    return Patch(f"Every page carries {', '.join(missing)}; redirects do not, since Next.js sends them before.",
                 {path: changed} | test)


def _is_exported(text: str, opening: str) -> bool:
    """Whether the object is what the file exports, by itself or by its name."""
    name = re.match(r"(?:const|let|var) (\w+)", opening)
    if name is None:
        return True
    return re.search(rf"^(?:export default|module\.exports =) {name[1]}\b", text, re.MULTILINE) is not None


def _lines(missing: dict[str, str]) -> str:
    rows = "".join(f'        {{ key: "{name}", value: "{value}" }},\n' for name, value in missing.items())
    return ("  async headers() {\n    return [{\n      source: \"/:path*\",\n      headers: [\n"
            f"{rows}      ],\n    }}];\n  }},")


def _test(tree: Path, service: Service, name: str, missing: dict[str, str]) -> dict[str, str]:
    """A vitest of the configuration; nothing when the site has no tests."""
    folder = tree / service.folder / (service.tests or "tests")
    files = list(folder.rglob("*.test.*")) if folder.is_dir() else []
    if not files:
        return {}
    package = json.loads((tree / service.folder / "package.json").read_text(encoding="utf-8"))
    if "vitest" not in {**package.get("devDependencies", {}), **package.get("dependencies", {})}:
        raise Unsure("the site is not tested with vitest, so that no test can be written for this")
    up = "/".join([".."] * len(folder.relative_to(tree / service.folder).parts))
    language = "ts" if (tree / service.folder / "tsconfig.json").exists() and not name.endswith(".js") else "mjs"
    lines = ['import { expect, test } from "vitest";', f'import config from "{up}/{name.removesuffix(".ts")}";', "",
             'test("every page carries the security headers", async () => {',
             "  const rows = (await config.headers?.()) ?? [];",
             '  const sent = rows.filter((row) => row.source === "/:path*").flatMap((row) => row.headers);',
             *(f'  expect(sent).toContainEqual({{ key: "{header}", value: "{value}" }});'
               for header, value in missing.items()), "});", ""]
    return {str(folder.relative_to(tree) / f"security-headers.test.{language}"): "\n".join(lines)}
