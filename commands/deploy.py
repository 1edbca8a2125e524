from __future__ import annotations

from typing import Annotated

import typer

from commands.options import Json, Token, operator
from commands.options import opened as open_workspace
from commands.output import answer

Target = Annotated[str, typer.Argument(metavar="[ID|REF]", help="An approved improvement, or a commit of your own "
                                       "(a branch, a tag, HEAD). Without it, the next approved improvement.")]
Accept = Annotated[list[str], typer.Option("--accept", metavar="CHECK", help="Ship your own commit although this check "
                                           "fails; may be repeated.")]


def add_to(app: typer.Typer) -> None:
    app.command()(deploy)


def deploy(target: Target = "", accept: Accept = [], token_stdin: Token = False, json: Json = False) -> None:  # noqa: B006
    """Put an approved improvement, or your own commit, live.

    The new release starts beside the old one, must answer healthily, and gets the traffic in one switch; no request is
    lost. It is watched, and when it fails the old one is back (exit 5). A commit of your own, for example
    'aiimprove deploy HEAD', is built and proven first (exit 4 when a check fails) and must contain what is live.
    'aiimprove deploy aiimprove/live' ships what changed in config.toml or the env file alone. Refused (exit 3) when the
    disk would not hold it.
    """
    from aiimprove import deployment

    workspace = open_workspace()
    plan = deployment.plan(workspace, target)
    if plan is None:
        answer({"deployment": None}, "Nothing is due: no approved improvement waits.")
        return
    if plan.done:
        deployment.settle(workspace)  # a kill may have left the release before running
        answer({"deployment": None}, f"{target or plan.what} is live already.")
        return
    done = deployment.deploy(operator(workspace, token_stdin, f"Put {plan.what} live?"), plan, accept)
    answer({"deployment": done.to_json()}, f"{plan.what} is live as release {done.release}.")
