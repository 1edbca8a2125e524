from __future__ import annotations

from typing import Annotated

import typer

from commands.options import Digest, Id, Json, Token, operator
from commands.options import opened as open_workspace
from commands.output import answer

Reason = Annotated[str, typer.Option("--reason", help="Why not, in your words. Remembered.")]
Why = Annotated[str, typer.Option("--because", metavar="WHY", help="not-wanted: it is to stay as it is. "
                                  "wrong-approach: right, but not this way; another way may be proposed at once. "
                                  "not-now: later. false-alarm: what was found is no problem.")]


def add_to(app: typer.Typer) -> None:
    app.command()(reject)


def reject(improvement: Id, reason: Reason = "", because: Why = "not-wanted", digest: Digest = "",
           token_stdin: Token = False, json: Json = False) -> None:
    """Say no to an improvement, with a reason.

    It must wait for an answer, or be approved and not live yet. The no is remembered: the same idea does not come back
    unless its impact is 1.5 times as large, or rejections.days have passed (not-now: rejections.not_now_days). At a
    terminal you are asked; elsewhere give --token-stdin and --digest.
    """
    from aiimprove import approval
    from aiimprove.errors import UsageError
    from aiimprove.rejection import Because
    from aiimprove.showing import card_of

    if because not in set(Because):
        raise UsageError(f"--because {because!r} is not known: known are {', '.join(Because)}")
    workspace = open_workspace()
    shown = workspace.store.improvement(improvement)
    if token_stdin and not digest:
        raise UsageError("outside a terminal a rejection needs --digest: what 'show' printed")
    acting = operator(workspace, token_stdin, f"Reject '{shown.title}' ({shown.id})?")
    rejected = approval.reject(acting, improvement, digest or shown.digest, reason, Because(because))
    shown_now = card_of(workspace, rejected)
    answer({"improvement": shown_now}, f"{rejected.id} is {rejected.status}: {shown_now['reason']}",
           *([f"It was {shown_now['rejection']['words']}."] if shown_now["rejection"] else []))
