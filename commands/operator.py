from __future__ import annotations

import sys
from typing import Annotated

import typer

from commands.options import Json, Token, opened
from commands.options import operator as acting
from commands.output import answer, table

Name = Annotated[str, typer.Argument(metavar="NAME", help="Who it is, on cards and in the audit trail.")]
LinkName = Annotated[str, typer.Argument(metavar="[NAME]", help="Who signs in with it; without it, the owner.")]
OWNER = "owner"


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="Who may approve, reject, deploy and roll back.", no_args_is_help=True)
    for verb in (add, remove, show, link, login):
        group.command("list" if verb is show else verb.__name__)(verb)
    app.add_typer(group, name="operator")


def add(name: Name, token_stdin: Token = False, json: Json = False) -> None:
    """Create an operator.

    The token is shown once; keep it in a password store. Who creates one must be an operator, or sit at a terminal.
    """
    from aiimprove import operators

    workspace = acting(opened(), token_stdin, f"Let {name} approve, deploy and roll back?")
    token = operators.add(workspace.store, name, workspace.performer)
    answer({"name": name, "token": token}, f"{name} is an operator. The token is shown this once:", token)


def remove(name: Name, token_stdin: Token = False, json: Json = False) -> None:
    """Remove an operator, and sign their browsers out."""
    from aiimprove import operators

    workspace = acting(opened(), token_stdin, f"Remove {name}?")
    operators.remove(workspace.store, name, workspace.performer)
    answer({"name": name}, f"{name} is no operator any more.")


def show(json: Json = False) -> None:
    """The operators and signed-in browsers, never a token."""
    from aiimprove import operators

    found = operators.everyone(opened().store)
    data = {"operators": [{"name": each.name, "created": each.created, "expires": each.expires} for each in found]}
    shown = table(("name", "until"), [(each.name, "removed" if each.expires is None else "30 days") for each in found])
    answer(data, shown or "There is no operator yet: 'aiimprove operator add NAME' makes one.")


def link(name: LinkName = OWNER, token_stdin: Token = False, json: Json = False) -> None:
    """Make a link that signs one browser in.

    It works once, within ten minutes; the browser stays signed in for 30 days.
    """
    from aiimprove import operators
    from commands.stamp import content

    workspace = acting(opened(), token_stdin, f"Make a link that signs a browser in as {name}?")
    secret = operators.link(workspace.store, name, workspace.performer)
    url = f"{content(workspace.config)['live_url']}/#operator={secret}"
    answer({"url": url, "seconds": operators.LINK_SECONDS}, url)


def login(json: Json = False) -> None:
    """Trade the secret of a link for the token of a browser.

    The secret stands on stdin. The site's own route calls this.
    """
    from aiimprove import operators

    session = operators.login(opened().store, sys.stdin.readline())
    answer({"name": session.name, "token": session.token, "expires": session.expires},
           f"signed in as {session.name}")
