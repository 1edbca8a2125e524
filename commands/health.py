from __future__ import annotations

import typer

from commands.options import Json, opened
from commands.output import answer, table


def add_to(app: typer.Typer) -> None:
    app.command()(health)


def health(json: Json = False) -> None:
    """Look at every service now, and give a score.

    Does it answer, how fast, and how many server errors did visitors get since the last look? The score (0 to 100) is
    availability x (1 - error share) x speed; docs/lifecycle.md says how. The result is kept: 'aiimprove status' and
    the button show the last one.
    """
    from aiimprove import health as stage

    seen = stage.check(opened("health"))
    rows = [(name, each["word"], "-" if each["milliseconds"] is None else f"{each['milliseconds']:.1f} ms",
             each["ready"]) for name, each in seen["services"].items()]
    used = [(name, "-" if each["cpu_percent"] is None else f"{each['cpu_percent']:.1f} %",
             f"{each['rss_bytes'] / 1e6:.0f} MB") for name, each in seen["resources"].items()]
    answer(seen, f"Score {seen['score']} of 100. Live {seen['live']}, dev {seen['dev']}, database {seen['database']}, "
           f"{seen['errors']} errors in {seen['requests']} requests since the last look.",
           table(("service", "live", "answers in", "ready"), rows), "", table(("runs", "CPU", "memory"), used),
           f"Data {seen['data_bytes'] / 1e6:.1f} MB, free on the disk {seen['disk_free'] / 1e9:.1f} GB.")
