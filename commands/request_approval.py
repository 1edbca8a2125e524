from __future__ import annotations

import typer

from commands.options import Json, NextId, opened
from commands.output import answer


def add_to(app: typer.Typer) -> None:
    app.command("request-approval")(request_approval)


def request_approval(improvement: NextId = "", json: Json = False) -> None:
    """Ask a human about an improvement that is VERIFIED.

    It appears on the button, and the dev ports show it. Refused (exit 3) when a check is missing or did not pass, when
    its proof does not count any more, when limits.waiting improvements wait already, or while the gate is closed. The
    gate is fed what it must refuse first, when that was not done today.
    """
    from aiimprove import approval
    from aiimprove.showing import card_of

    workspace = opened("request-approval")
    asked = approval.request(workspace, improvement)
    if asked is None:
        answer({"improvement": None}, "Nothing is due: no VERIFIED improvement may be asked for now.")
        return
    answer({"improvement": card_of(workspace, asked)}, f"{asked.id} waits for an answer: {asked.title}",
           f"Look at it with 'aiimprove show {asked.id}', then 'aiimprove approve {asked.id}' or 'aiimprove reject "
           f"{asked.id}'.")
