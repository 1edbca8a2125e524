from __future__ import annotations

import typer

from commands.options import Json, NextId, opened
from commands.output import answer


def add_to(app: typer.Typer) -> None:
    app.command()(preview)


def preview(improvement: NextId = "", json: Json = False) -> None:
    """Choose what the dev ports show.

    An improvement that was tested or, without an ID, the first that waits for an answer, else what is live. Dev runs
    on a fresh clone of live's data: what you change there is thrown away.
    """
    from aiimprove import development
    from commands.stamp import content

    workspace = opened("preview")
    shown = development.show(workspace, improvement)
    url = content(workspace.config)["dev_url"]
    answer({"release": shown.release, "improvement": shown.improvement, "dev_url": url},
           f"{url} shows {shown.improvement or 'what is live'} (release {shown.release}).")
