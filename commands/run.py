from __future__ import annotations

from typing import Annotated

import typer

from commands.options import Json, opened
from commands.output import answer

Once = Annotated[bool, typer.Option("--once", help="Do everything that is due, and exit: for cron and timers.")]


def add_to(app: typer.Typer) -> None:
    app.command()(run)


def run(once: Once = False, json: Json = False) -> None:
    """The loop over all steps; with --once, everything due.

    Without --once it goes on, on the intervals of the config, until SIGTERM or Ctrl-C. It may die at any time: live
    goes on without it. With --once it does everything that is due and exits, for cron and systemd timers. Locked
    (exit 6) while another run is at it.
    """
    from aiimprove import lifecycle
    from aiimprove.loop import loop

    workspace = opened("run")
    if not once:
        loop(workspace)
    done = lifecycle.once(workspace) if once else []
    answer({"steps": [{"step": step.name, "exit_code": step.exit_code} for step in done]},
           *(f"{step.name}: {step.words}" for step in done))
