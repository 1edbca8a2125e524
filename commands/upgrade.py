from __future__ import annotations

from typing import Annotated

import typer

from commands.options import Json, opened
from commands.output import answer

From = Annotated[str, typer.Option("--from", metavar="PATH_OR_SPEC", help="What pip is to install: a folder, a wheel, "
                                   "an address. Without it, what it installed the last time; nothing for a checkout.")]
Back = Annotated[bool, typer.Option("--back", help="Return to the version before.")]


def add_to(app: typer.Typer) -> None:
    app.command()(upgrade)


def upgrade(what: From = "", back: Back = False, json: Json = False) -> None:
    """Put another version in place, while the site serves.

    It is installed where this one is, in its virtual environment, and what runs is replaced by it, one after the other:
    the shims, the gateway's too, adopt what they keep, and the loop begins anew. The app's services are not touched.
    On failure this version is back (exit 5). Of a checkout nothing is installed: call this after 'git pull'.
    """
    from pathlib import Path

    from aiimprove.upgrade import upgrade as replaced

    workspace = opened("upgrade")
    found = str(Path(what).resolve()) if what and Path(what).exists() else what
    done = replaced(workspace, found, back=back)
    answer({"before": done.before, "after": done.after, "renewed": list(done.renewed)},
           f"Version {done.after} (before: {done.before}) runs: {', '.join(done.renewed) or 'nothing was running'}.")
