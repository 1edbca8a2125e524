from __future__ import annotations

import typer

from commands.options import Json, opened
from commands.output import answer


def add_to(app: typer.Typer) -> None:
    app.command()(down)


def down(json: Json = False) -> None:
    """Stop everything. No data is lost.

    The loop, what it has under way, live, dev and the gateway end, in this order; a deployment under way is undone
    first. 'aiimprove up' starts the same release again.
    """
    from aiimprove import system

    stopped = system.down(opened("down"))
    answer({"stopped": stopped}, "Stopped: " + (", ".join(stopped) or "nothing was running") + ".")
