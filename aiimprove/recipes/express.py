"""Where the Express app of a service is made, and how its tests get at it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiimprove.recipes import Elsewhere, Unsure
from aiimprove.settings import Service

_ENDINGS = (".js", ".cjs", ".mjs", ".ts")
_ASIDE = {"node_modules", "dist", "build", "coverage", "public", "static", "test", "tests", "__tests__"}
_MADE = re.compile(r"^(?:export )?(?:const|let|var) (\w+)(?:\s*:\s*[\w.]+)? = express\(\);?[ \t]*$", re.MULTILINE)
_ANY = re.compile(r"\bexpress\(\)")
_TAKEN = re.compile(r"""^(?:const|let|var) (\w+) = require\(["'](\.[\w./-]*)["']\);?[ \t]*$""", re.MULTILINE)
MOST_BYTES = 400_000


@dataclass(frozen=True)
class Made:
    """`const name = express()` on a line of its own, at the top of a file; `package` is the text of package.json."""

    path: str
    text: str
    name: str
    end: int
    package: str

    def with_lines(self, lines: Sequence[str]) -> str:
        """The text of the file with lines right below."""
        ending = "\r\n" if "\r\n" in self.text else "\n"
        rest = self.text[self.end:]
        gap = ending if rest.strip() and not rest.startswith((ending * 2, f"{ending}}}")) else ""
        return self.text[:self.end] + "".join(ending + line for line in lines) + gap + rest


def made_in(tree: Path, service: Service) -> Made:
    """The one place where the app is made. Raises Elsewhere when the service is no Express app, Unsure when there are
    several such places or when it is made in another way."""
    root = tree / service.folder
    package = _text(root / "package.json")
    if '"express"' not in package:
        raise Elsewhere("this is no Express app")
    texts = {path: text for path in _files(root) if _ANY.search(text := _text(path))}
    found = [(path, match) for path, text in texts.items() for match in _MADE.finditer(text)]
    if len(found) != 1 or sum(len(_ANY.findall(text)) for text in texts.values()) != 1:
        raise Unsure(f"an Express app is made in {len(texts)} files" if len(texts) != 1
                     else "the Express app is not made once, on a line of its own")
    path, match = found[0]
    end = match.end() - (1 if texts[path][match.start():match.end()].endswith("\r") else 0)
    return Made(str(path.relative_to(tree)), texts[path], match[1], end, package)


def new_test(tree: Path, service: Service, made: Made, name: str, title: str, body: Sequence[str]) -> dict[str, str]:
    """A test file for Node's own runner, by its path in the tree, whose lines may use `base`, the address of the app;
    empty when the tests are others, or do not require the file where the app is made. Raises Unsure when there is such
    a file already."""
    root, app = tree / service.folder, (tree / made.path).resolve()
    for path in sorted(root.rglob("*.test.js")) if f"module.exports = {made.name};" in made.text else ():
        text = _text(path) if "node_modules" not in path.relative_to(root).parts else ""
        taken = next((match for match in _TAKEN.finditer(text) if app in _meant(path, match[2])), None)
        if taken and re.search(r"""require\(["']node:test["']\)""", text):
            new = path.parent / f"{name}.test.js"
            if new.exists():
                raise Unsure(f"there is a test {new.relative_to(tree)} already")
            return {str(new.relative_to(tree)): _case(taken[2], title, body)}
    return {}


def _case(app: str, title: str, body: Sequence[str]) -> str:
    return "\n".join([
        'const assert = require("node:assert");', 'const { once } = require("node:events");',
        'const { test } = require("node:test");', "", f'const app = require("{app}");', "",
        f'test("{title}", async (context) => {{', '  const server = app.listen(0, "127.0.0.1");',
        "  context.after(() => server.close());", '  await once(server, "listening");',
        "  const base = `http://127.0.0.1:${server.address().port}`;", *(f"  {line}" for line in body), "});", ""])


def _meant(path: Path, words: str) -> list[Path]:
    target = (path.parent / words).resolve()
    return [target, target.with_name(f"{target.name}.js"), target / "index.js"]


def _files(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        aside = any(part in _ASIDE or part.startswith(".") for part in parts[:-1])
        if path.suffix in _ENDINGS and ".test." not in path.name and not aside and not path.is_symlink() and (
                path.stat().st_size < MOST_BYTES):
            yield path


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return ""
