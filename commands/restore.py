from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from commands.options import Json, Token, operator
from commands.options import opened as open_workspace
from commands.output import answer, table

Name = Annotated[str, typer.Argument(metavar="[BACKUP]", help="A backup; without it they are listed.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it, with --token-stdin. At a terminal you are asked instead.")]


def add_to(app: typer.Typer) -> None:
    app.command()(restore)


def restore(backup: Name = "", yes: Yes = False, token_stdin: Token = False, json: Json = False) -> None:
    """List the backups of the live data, or restore one.

    A backup is made before a migration touches live data. With a name, what would be lost is counted, table by table:
    every row written since. Then 'restore' must be typed. The data of that moment is kept as another backup, so a
    restore can be taken back with a restore. Reads wait for the moment of the exchange; writes get 503 and come back.
    """
    from aiimprove import backups, restoring
    from commands.options import at_terminal

    workspace = open_workspace()
    if not backup:
        _list(backups.every(workspace.config))
        return
    plan = restoring.plan(workspace, backup)
    said = _in_words(plan.to_json())
    if not (yes and token_stdin) and not at_terminal(workspace):
        answer({"restore": plan.to_json(), "kept": None}, *said,
               "Nothing was done: --yes and --token-stdin do it outside a terminal.")
        return
    acting = operator(workspace, token_stdin, "\n".join([*said, f"Put the backup {backup} in the place of the live "
                                                                 "data?"]), "restore")
    kept = restoring.restore(acting, plan)
    answer({"restore": plan.to_json(), "kept": kept.name}, f"The backup {backup} is live.",
           f"What was live before is kept: 'aiimprove restore {kept.name}' brings it back.")


def _list(found: list[Any]) -> None:
    rows = [(each.name, time.strftime("%Y-%m-%d %H:%M", time.localtime(each.made)), str(each.rows),
             f"{each.bytes / 1e6:.1f} MB", each.why) for each in found]
    listed = [{"name": each.name, "made": each.made, "rows": each.rows, "bytes": each.bytes, "why": each.why}
              for each in found]
    answer({"backups": listed}, table(("backup", "made", "rows", "size", "why"), rows)
           or "There is no backup yet: one is made before a migration touches live data.")


def _in_words(plan: dict[str, Any]) -> list[str]:
    rows = [(each["database"], each["table"], str(each["gone"]), str(each["changed"])) for each in plan["lost"]]
    lost = [f"{plan['rows_lost']} rows written since would be lost:",
            table(("database", "table", "new since", "changed since"), rows)] if rows else ["No row would be lost."]
    back = [f"{plan['rows_back']} rows would be as they were again."] if plan["rows_back"] else []
    return [*lost, *back]
