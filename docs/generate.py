"""Writes the pages that are made from the code: `python docs/generate.py`.

config.md comes from the shape of config.toml (aiimprove/settings.py), commands.md from every verb's own --help,
detectors.md and recipes.md from those themselves (docs/catalogue.py).
A test fails when a page is not what this script makes.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

from aiimprove.settings import Config, Service  # noqa: E402
from commands import output  # noqa: E402
from commands.table import VERBS, run  # noqa: E402
from docs.catalogue import detectors_page, recipes_page  # noqa: E402

GROUPS = {"operator": ("add", "remove", "list", "link", "login"), "service": ("install", "uninstall", "status"),
          "evidence": ("export", "verify")}

CONFIG_HEAD = """# config.toml

Made from `aiimprove/settings.py` by `python docs/generate.py`. Do not edit this page.

`config.toml` stands at the top of your git repository. A key that is not listed here is an error, and so is a value
outside its bounds: the message names the key. Every key but `start` of a service has a default. A complete example
for an app of one service is in the [README](../README.md#on-an-app-of-your-own); the bundled site's own
[config.toml](../config.toml) shows two services.

Two variables of the environment matter too: `AIIMPROVE_STATE` moves the state folder, and `AIIMPROVE_REPOSITORY`
names the repository when a command is called from elsewhere.
"""

COMMANDS_HEAD = """# The verbs and their --help

Made by `python docs/generate.py` from the command line itself. Do not edit this page.

Options of every verb: `--json` prints one envelope on stdout ([cli-json.md](cli-json.md)); `--no-color` (or the
variable `NO_COLOR`) switches colours off. Exit codes: [cli-json.md](cli-json.md#exit-codes).
"""


def config_page() -> str:
    """docs/config.md."""
    hints = get_type_hints(Config)
    tables = [each.name for each in _keys(Config) if is_dataclass(hints[each.name])]
    parts = [CONFIG_HEAD, "## At the top of the file\n", *_table(Config)]
    for name in tables:
        parts += [f"## [{name}]\n", f"{_said(hints[name])}\n", *_table(hints[name])]
    parts += ["## [services.NAME]\n", f"{_said(Service)}\n", *_table(Service),
              "The blanks of a service: `{port}` its private port, `{data}` the folder of its data, `{folder}` its own "
              "folder in the\nrelease, `{dependencies}` what `install` made, `{python}` the interpreter in there, "
              "`{NAME.port}` and `{NAME.live_port}`\nthe ports of another service. `test` may use `{report}`, `search` "
              "`{query}`.\n"]
    return "\n".join(parts)


def commands_page() -> str:
    """docs/commands.md."""
    parts = [COMMANDS_HEAD]
    for words in calls():
        parts.append(f"## aiimprove {' '.join(words)}\n" if words else "## aiimprove\n")
        parts.append(f"```text\n{shown(words)}\n```\n")
    return "\n".join(parts)


def calls() -> Iterator[tuple[str, ...]]:
    """The words of every --help there is."""
    yield ()
    for name in VERBS:
        yield (name.replace("_", "-"),)
        yield from ((name, each) for each in GROUPS.get(name, ()))


def shown(words: tuple[str, ...]) -> str:
    """What `aiimprove WORDS --help` prints, 80 columns wide."""
    width, os.environ["COLUMNS"] = os.environ.get("COLUMNS"), "80"
    try:
        with redirect_stdout(io.StringIO()) as page:
            run([*words, "--help"])
    finally:
        os.environ.pop("COLUMNS") if width is None else os.environ.update(COLUMNS=width)
        output.CALL.command = ""
    return "\n".join(line.rstrip() for line in page.getvalue().strip().splitlines())


def _keys(shape: Any) -> list[Field[Any]]:
    return [each for each in fields(shape) if not each.metadata.get("derived")]


def _table(shape: Any) -> Iterator[str]:
    hints = get_type_hints(shape)
    yield "| Key | Type | Default | Meaning |\n|---|---|---|---|"
    for each in _keys(shape):
        if "meaning" in each.metadata:
            yield (f"| `{each.name}` | {_kind(hints[each.name])}{_bounds(each)} | {_default(each)} "
                   f"| {_meaning(each)} |")
    yield ""


def _meaning(each: Field[Any]) -> str:
    return str(each.metadata["meaning"]).replace("|", "\\|").replace("<", "&lt;")


def _kind(hint: Any) -> str:
    names = {str: "text", int: "whole number", float: "number", list[float]: "list of numbers"}
    if hint in names:
        return names[hint]
    return "table of texts" if len(get_args(hint)) == 2 else "list of texts"


def _bounds(each: Field[Any]) -> str:
    least, most = each.metadata["least"], each.metadata["most"]
    if least is None:
        return ""
    return f", at least {least:g}" if most is None else f", {least:g} to {most:g}"


def _default(each: Field[Any]) -> str:
    value = each.default
    if value is MISSING and each.default_factory is not MISSING:
        value = each.default_factory()
    return f"`{json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)}`"


def _said(shape: Any) -> str:
    return " ".join((shape.__doc__ or "").split())


PAGES = {"config.md": config_page, "commands.md": commands_page, "detectors.md": detectors_page,
         "recipes.md": recipes_page}


def main() -> None:
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
