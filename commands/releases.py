from __future__ import annotations

import time

import typer

from commands.options import Json, opened
from commands.output import answer, table


def add_to(app: typer.Typer) -> None:
    app.command()(releases)


def releases(json: Json = False) -> None:
    """Which releases are kept, and what each was.

    Any that served can be put back with 'aiimprove rollback --to RELEASE'. How many are kept is limits.releases in
    config.toml; what serves and the one before are always kept.
    """
    from aiimprove import releases as kept_releases

    found = kept_releases.kept(opened())
    rows = [(each.id, each.role + (", on dev" if each.on_dev else ""), _day(each.served or each.made),
             each.commit[:12], ", ".join(each.improvements) or each.subject, ", ".join(each.differs)) for each in found]
    answer({"releases": [each.to_json() for each in found]},
           table(("release", "is", "served or made", "commit", "what", "unlike the present"), rows)
           or "No release is kept yet: 'aiimprove up' makes the first.")


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
