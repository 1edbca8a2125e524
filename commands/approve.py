from __future__ import annotations

import typer

from commands.options import Digest, Id, Json, Token, operator
from commands.options import opened as open_workspace
from commands.output import answer


def add_to(app: typer.Typer) -> None:
    app.command()(approve)


def approve(improvement: Id, digest: Digest = "", token_stdin: Token = False, json: Json = False) -> None:
    """Say yes to an improvement that waits for an answer.

    It goes live at once while 'aiimprove run' runs, else with the next 'aiimprove deploy'. The answer names a digest:
    exactly the patch, the live version below it, the checks, the probe and the artifact that were shown. When one byte
    of these changes, the approval lapses. At a terminal you are asked; elsewhere give --token-stdin and --digest.
    """
    from aiimprove import approval
    from aiimprove.card import card
    from aiimprove.errors import UsageError

    workspace = open_workspace()
    shown = workspace.store.improvement(improvement)
    if token_stdin and not digest:
        raise UsageError("outside a terminal an approval needs --digest: what 'show' printed")
    acting = operator(workspace, token_stdin, f"Put '{shown.title}' ({shown.id}, {shown.digest[:12]}) live?")
    approved = approval.approve(acting, improvement, digest or shown.digest)
    answer({"improvement": card(approved)}, f"{approved.id} is {approved.status}.",
           "It goes live by itself while 'aiimprove run' runs; else with 'aiimprove deploy'.")
