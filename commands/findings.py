from __future__ import annotations

import time
from typing import Any

import typer

from commands.options import Json, opened
from commands.output import answer, proof_words, table

_WHY = {False: "waits for its turn", True: "no author writes this yet"}


def add_to(app: typer.Typer) -> None:
    app.command()(findings)


def findings(json: Json = False) -> None:
    """Everything that was found, also what is not proposed.

    The largest impact first (0: nobody notices, 100: everybody is hit), with the improvement that was made of it, its
    status, and the reason for that status; of what was rejected, also what would bring it back.
    """
    from aiimprove.remembered import COUNT

    workspace = opened()
    others = workspace.store.improvements(COUNT)
    rows = [_row(workspace, finding, others) for finding in workspace.store.findings()]
    if not rows:
        answer({"findings": []}, "Nothing has been found yet. 'aiimprove analyze' looks now.")
        return
    answer({"findings": rows}, table(("impact", "kind", "what", "improvement", "status", "why"), [
        (f"{row['impact']:.0f}", row["kind"], row["title"], row["improvement"] or "-", row["status"] or "-",
         "; ".join(filter(None, (row["reason"] + _proven(row["proof"]), row["remembered"])))) for row in rows]))


def _row(workspace: Any, finding: Any, others: Any) -> dict[str, Any]:
    from aiimprove.card import visible
    from aiimprove.freshness import proof
    from aiimprove.remembered import remembered, taken_care_of

    made = workspace.store.of_finding(finding.fingerprint)
    last = made[0] if made else None
    same, no = taken_care_of(finding, others), "; ".join(remembered(finding, others, time.time()))
    data: dict[str, Any] = finding.to_json()
    return data | {"improvement": last.id if last else None, "status": last.status if last else None,
                   "reason": visible(_why(last) if last else same or ("" if no else "waits for the next look")),
                   "remembered": visible("; ".join(filter(None, (no, same if last else "")))),
                   "proof": proof(workspace, last) if last else None}


def _proven(proof: dict[str, Any] | None) -> str:
    return f" (proven {proof_words(proof)})" if proof and proof["until"] else ""


def _why(improvement: Any) -> str:
    from aiimprove.finding import LISTED

    return improvement.reason or improvement.finding.details.get(LISTED) or _WHY[improvement.status == "NEEDS_AUTHOR"]
