from __future__ import annotations

from typing import Any

import typer

from commands.options import Json, opened
from commands.output import answer, table

_WHY = {False: "waits for its turn", True: "no author writes this yet"}


def add_to(app: typer.Typer) -> None:
    app.command()(findings)


def findings(json: Json = False) -> None:
    """Everything that was found, also what is not proposed.

    The largest impact first (0: nobody notices, 100: everybody is hit), with the improvement that was made of it, its
    status, and the reason for that status.
    """
    workspace = opened()
    rows = [_row(workspace, finding) for finding in workspace.store.findings()]
    if not rows:
        answer({"findings": []}, "Nothing has been found yet. 'aiimprove analyze' looks now.")
        return
    answer({"findings": rows}, table(("impact", "kind", "what", "improvement", "status", "why"), [
        (f"{row['impact']:.0f}", row["kind"], row["title"], row["improvement"] or "-", row["status"] or "-",
         row["reason"]) for row in rows]))


def _row(workspace: Any, finding: Any) -> dict[str, Any]:
    made = workspace.store.of_finding(finding.fingerprint)
    last = made[0] if made else None
    data: dict[str, Any] = finding.to_json()
    return data | {"improvement": last.id if last else None, "status": last.status if last else None,
                   "reason": _why(last) if last else "waits for the next look"}


def _why(improvement: Any) -> str:
    return improvement.reason or _WHY[improvement.status == "NEEDS_AUTHOR"]
