from __future__ import annotations

import typer

from commands.options import Json, opened
from commands.output import answer, table


def add_to(app: typer.Typer) -> None:
    app.command()(analyze)


def analyze(json: Json = False) -> None:
    """Look for things that could be better, on a private copy of what is live.

    Live itself is not touched: the copy runs on a clone of its data. New findings become improvements
    (PROPOSED, or NEEDS_AUTHOR when nobody can write them yet).
    """
    from aiimprove import analysis

    seen = analysis.analyze(opened("analyze"))
    data = {"findings": [finding.to_json() for finding in seen.findings],
            "proposed": [{"id": each.id, "status": each.status, "title": each.title} for each in seen.proposed],
            "failed_detectors": list(seen.failed_detectors)}
    rows = [(each.id, each.status, each.title) for each in seen.proposed]
    answer(data, f"{len(seen.findings)} findings, {len(seen.proposed)} of them new.",
           table(("improvement", "status", "what"), rows))
