from __future__ import annotations

from typing import Annotated

import typer

from commands.options import Digest, Id, Json, Token, operator
from commands.options import opened as open_workspace
from commands.output import answer

OneWay = Annotated[bool, typer.Option("--one-way", help="Say yes although there is no way back from it.")]


def add_to(app: typer.Typer) -> None:
    app.command()(approve)


def approve(improvement: Id, digest: Digest = "", one_way: OneWay = False, token_stdin: Token = False,
            json: Json = False) -> None:
    """Say yes to an improvement that waits for an answer.

    It goes live at once while 'aiimprove run' runs, else with the next 'aiimprove deploy'. The answer names a digest:
    exactly the patch, the live version below it, the checks, the probe and the artifact that were shown. When one byte
    of these changes, the approval lapses. At a terminal you are asked; elsewhere give --token-stdin and --digest. When
    the proof found no way back, 'one way' must be typed at the terminal, or --one-way given.
    """
    from aiimprove import approval
    from aiimprove.errors import UsageError
    from aiimprove.policy import one_way as one_way_because
    from aiimprove.showing import card_of

    workspace = open_workspace()
    shown = workspace.store.improvement(improvement)
    if token_stdin and not digest:
        raise UsageError("outside a terminal an approval needs --digest: what 'show' printed")
    why = one_way_because(shown.evidence)
    question = f"Put '{shown.title}' ({shown.id}, {shown.digest[:12]}) live?{f' It is {why}.' if why else ''}"
    acting = operator(workspace, token_stdin, question, "one way" if why and not one_way else "yes")
    approved = approval.approve(acting, improvement, digest or shown.digest,
                                knowing_one_way=one_way or not token_stdin)
    answer({"improvement": card_of(workspace, approved)}, f"{approved.id} is {approved.status}.",
           "It goes live by itself while 'aiimprove run' runs; else with 'aiimprove deploy'.")
