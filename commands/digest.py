from __future__ import annotations

import time

import typer

from commands.options import Json, opened
from commands.output import answer


def add_to(app: typer.Typer) -> None:
    app.command()(digest)


def digest(hours: float = typer.Option(24.0, "--hours", help="How far it looks back.", min=0.01),
           json: Json = False) -> None:
    """What the last day came to.

    What waits for an answer, what went live or was taken back, what was found, proven and failed, and how often live
    was well. 'run' hands the same to the program 'digest' of the config once a day, when there is anything to say.
    """
    from aiimprove.digest import digest as of

    found = of(opened(), time.time() - hours * 3600)
    answer(found.to_json(), found.text)
