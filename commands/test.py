from __future__ import annotations

import typer

from commands.options import Json, NextId, opened
from commands.output import answer, table


def add_to(app: typer.Typer) -> None:
    app.command()(test)


def test(improvement: NextId = "", json: Json = False) -> None:
    """Prove an improvement beside what is live.

    The candidate and the live version run side by side, each on its own clone of the same data, and every check looks
    at both. VERIFIED when every check passed; FAILED (exit 4) when one failed; UNPROVEN (exit 4) when one could not
    tell. What the machine failed at (exit 1) is tried again. Without an ID the next one that is due, also one whose
    proof does not count any more: it is older than limits.evidence_hours, or the checks have changed.
    """
    from aiimprove import verification
    from aiimprove.errors import AiimproveError, VerificationFailed
    from aiimprove.improvement import Status
    from aiimprove.showing import card_of

    workspace = opened("test")
    tested = verification.verify(workspace, improvement)
    if tested is None:
        answer({"improvement": None}, "Nothing is due: no improvement waits for its proof.")
        return
    error: AiimproveError | None = None
    if tested.status in (Status.FAILED, Status.UNPROVEN):
        error = VerificationFailed(f"{tested.id} is {tested.status}: {tested.reason}")
    elif tested.status is Status.GENERATED:
        error = AiimproveError(f"{tested.id} {tested.reason} (it is tried again)")
    shown = card_of(workspace, tested)
    rows = [(each["name"], each["verdict"], each["summary"]) for each in shown["checks"]]
    answer({"improvement": shown}, f"{tested.id} is {tested.status}.", table(("check", "verdict", "seen"), rows),
           error=error)
