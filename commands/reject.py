from __future__ import annotations

from typing import Annotated

import typer

from commands.options import Digest, Id, Json, Token, operator
from commands.options import opened as open_workspace
from commands.output import answer

Reason = Annotated[str, typer.Option("--reason", help="Why not. Remembered: the same idea does not come back unless it "
                                     "gets clearly worse.")]


def add_to(app: typer.Typer) -> None:
    app.command()(reject)


def reject(improvement: Id, reason: Reason = "", digest: Digest = "", token_stdin: Token = False,
           json: Json = False) -> None:
    """Say no to an improvement, with a reason.

    It must wait for an answer, or be approved and not live yet. The reason is remembered: the same idea does not come
    back unless its impact is clearly larger (1.5 times). At a terminal you are asked; elsewhere give --token-stdin and
    --digest.
    """
    from aiimprove import approval
    from aiimprove.card import card
    from aiimprove.errors import UsageError

    workspace = open_workspace()
    shown = workspace.store.improvement(improvement)
    if token_stdin and not digest:
        raise UsageError("outside a terminal a rejection needs --digest: what 'show' printed")
    acting = operator(workspace, token_stdin, f"Reject '{shown.title}' ({shown.id})?")
    rejected = approval.reject(acting, improvement, digest or shown.digest, reason)
    answer({"improvement": card(rejected)}, f"{rejected.id} is {rejected.status}: {rejected.reason}")
