from __future__ import annotations

import typer

from commands.options import Json, opened
from commands.output import answer, table


def add_to(app: typer.Typer) -> None:
    app.command()(analyze)


def analyze(json: Json = False) -> None:
    """Look for what could be better, on a copy of live.

    A private copy of what is live is started on a clone of its data, and the detectors look at it and at live's logs.
    Live itself is not touched. A new finding becomes an improvement: PROPOSED, or NEEDS_AUTHOR when no author can
    write it. 'aiimprove findings' lists what was seen.
    """
    from aiimprove import analysis

    seen = analysis.analyze(opened("analyze"))
    data = {"findings": [finding.to_json() for finding in seen.findings],
            "proposed": [{"id": each.id, "status": each.status, "title": each.title} for each in seen.proposed],
            "failed_detectors": list(seen.failed_detectors)}
    rows = [(each.id, each.status, each.title) for each in seen.proposed]
    answer(data, f"{len(seen.findings)} findings, {len(seen.proposed)} of them new.",
           table(("improvement", "status", "what"), rows))
