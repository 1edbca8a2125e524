from __future__ import annotations

from typing import Annotated

import typer

from commands.options import Json, Token, operator
from commands.options import opened as open_workspace
from commands.output import answer

To = Annotated[str, typer.Option("--to", metavar="RELEASE", help="Any kept release; without it, the one before.")]
Present = Annotated[bool, typer.Option("--present-env", help="Start it with the config and the env file of today, "
                                       "not with its own: when a secret was replaced.")]


def add_to(app: typer.Typer) -> None:
    app.command()(rollback)


def rollback(to: To = "", present_env: Present = False, token_stdin: Token = False, json: Json = False) -> None:
    """Put the release before this one back.

    It is started and proven healthy first, as in a deploy, with the start words and the env file that it had.
    'aiimprove releases' lists what --to can name. During a watch the deployment is taken back at once. Rows written
    meanwhile stay: data is never rolled back. Repeating it is safe: a second bare rollback does not go further back.
    """
    from aiimprove import deployment

    workspace = open_workspace()
    plan = deployment.plan_rollback(workspace, to, present_env=present_env)
    if plan is None or plan.done:
        deployment.settle(workspace)  # a kill may have left the release before running
        answer({"deployment": None}, "Already rolled back: 'aiimprove rollback --to RELEASE' goes to a named release.")
        return
    done = deployment.rollback(operator(workspace, token_stdin, f"Roll back to {plan.what}?"), plan)
    answer({"deployment": done.to_json()}, f"Release {plan.release} serves again.")
