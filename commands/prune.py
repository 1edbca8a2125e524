from __future__ import annotations

import typer

from commands.options import Json, opened
from commands.output import answer, table


def add_to(app: typer.Typer) -> None:
    app.command()(prune)


def prune(json: Json = False) -> None:
    """Remove what nobody needs any more, and say what went.

    The limits are those of config.toml; docs/footprint.md says what each keeps. What serves, what a rollback could
    need and what is being worked on stays. The loop does this once a day, and when the disk runs low.
    """
    from aiimprove import upkeep

    done = upkeep.prune(opened())
    rows = [(name, f"{size / 1e6:.1f} MB") for name, size in done.footprint["parts"].items() if size]
    answer(done.to_json(), f"Removed: {done.words}. {done.freed_bytes / 1e6:.1f} MB are free again; "
           f"{done.footprint['bytes'] / 1e6:.1f} MB are left:", table(("part", "takes"), rows))
