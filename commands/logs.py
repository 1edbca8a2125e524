from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from commands.options import Json
from commands.options import opened as open_workspace
from commands.output import answer

Name = Annotated[str, typer.Argument(metavar="[NAME]", help="One log, such as ai_system or live_backend; else all.")]
Follow = Annotated[bool, typer.Option("-f", "--follow", help="Go on showing what is added, until Ctrl-C.")]
Lines = Annotated[int, typer.Option("-n", "--lines", min=1, help="How many of the last lines.")]


def add_to(app: typer.Typer) -> None:
    app.command()(logs)


def logs(name: Name = "", follow: Follow = False, lines: Lines = 20, json: Json = False) -> None:
    """Show the logs of the loop, gateway and services.

    NAME is ai_system, gateway, or live_ or dev_ with the name of a service, such as live_backend. Without a NAME the
    end of each is shown.
    """
    from aiimprove.errors import NotFound, UsageError

    folder = open_workspace().config.logs_folder
    found = {each.stem: each for each in sorted(folder.glob("*.log")) if each.is_symlink() or _stable(each)}
    chosen = [found[name]] if name in found else list(found.values()) if not name else []
    if not chosen:
        raise NotFound(f"no log is named {name!r} in {folder}: there are {', '.join(found) or 'none yet'}")
    if follow:
        if json:
            raise UsageError("--follow and --json do not go together")
        sys.stdout.flush()
        os.execvp("tail", ["tail", "-n", str(lines), "-F", *map(str, chosen)])
    shown = {each.stem: _last(each, lines) for each in chosen}
    text = [f"==> {stem} <==\n" + "\n".join(rows) for stem, rows in shown.items()]
    answer({"folder": str(folder), "logs": shown}, *(text if len(text) > 1 else ["\n".join(*shown.values())]))


def _stable(file: Path) -> bool:
    return file.stem in ("ai_system", "gateway")


def _last(file: Path, lines: int) -> list[str]:
    if not file.exists():
        return []
    with file.open("rb") as content:
        content.seek(0, os.SEEK_END)
        content.seek(max(0, content.tell() - lines * 2000))
        return content.read().decode("utf-8", "replace").splitlines()[-lines:]
