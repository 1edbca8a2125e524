from __future__ import annotations

import typer

from commands.options import Json, NextId, opened
from commands.output import answer


def add_to(app: typer.Typer) -> None:
    app.command()(generate)


def generate(improvement: NextId = "", json: Json = False) -> None:
    """Have the author write an improvement, on a branch ai/ID.

    Without an ID the next one that is due: first what live has outrun (it is carried over), then the proposal
    with the largest impact. Your working tree and your branches are not touched.
    """
    from aiimprove import generation
    from aiimprove.showing import card_of

    workspace = opened("generate")
    written = generation.generate(workspace, improvement)
    if written is None:
        answer({"improvement": None}, "Nothing is due: no proposal waits to be written, or enough are under way.")
        return
    answer({"improvement": card_of(workspace, written)}, f"{written.id} is {written.status}: {written.reason}")
