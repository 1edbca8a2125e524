from __future__ import annotations

from typing import Annotated, Any

import typer

from commands.options import Id, Json
from commands.options import opened as open_workspace
from commands.output import answer, proof_words, table
from commands.stamp import content

Operator = Annotated[bool, typer.Option("--operator", help="Answer only if an operator's token stands on stdin.")]


def add_to(app: typer.Typer) -> None:
    app.command()(show)


def show(improvement: Id, operator: Operator = False, json: Json = False) -> None:
    """The whole card of one improvement.

    What was found, before and after, every check with what it saw, what was not checked, the diff, and the digest that
    an approval names.
    """
    from aiimprove.showing import card_of

    workspace = open_workspace()
    if operator:
        _must_be_operator(workspace)
    found = workspace.store.improvement(improvement)
    shown = card_of(workspace, found, workspace.store.events(found.id), content(workspace.config)["dev_url"])
    answer(shown, *_sentences(shown))


def _must_be_operator(workspace: Any) -> None:
    import sys

    from aiimprove import operators

    operators.verify(workspace.store, sys.stdin.readline())


def _sentences(shown: dict[str, Any]) -> list[str]:
    lines = [f"{shown['id']}  {shown['status']}  ({shown['kind']}, found by {shown['detector']})", shown["title"], "",
             shown["finding"]["summary"]]
    if shown["reason"]:
        lines += ["", f"Status: {shown['reason']}"]
    if shown["rejection"]:
        lines += ["", f"It was {shown['rejection']['words']}."]
    lines += [f"Would help: {each}" for each in shown["would_help"]]
    if shown["before"]:
        lines += ["", f"Before  {shown['before']}", f"After   {shown['after']}"]
    if shown["checks"]:
        rows = [(each["name"], each["verdict"], each["summary"]) for each in shown["checks"]]
        lines += ["", table(("check", "verdict", "seen"), rows)]
    if shown["rollback"]:
        lines += ["", f"The way back: {shown['rollback']['words']}", ""]
    if shown["prediction"]:
        lines += [f"Predicted on live: {shown['prediction']['words']}", ""]
    lines += [f"Mends too: {each}" for each in shown["also"]]
    lines += [f"Together with {each['with']} ({each['title']}): {each['word']}, {each['why']}"
              for each in shown["pairs"]]
    lines += [f"Not checked: {each}" for each in shown["not_checked"]]
    if shown["proof"]:
        lines += ["", f"Proven {proof_words(shown['proof'])}"]
    if shown["diff"]:
        lines += ["", shown["diff"].rstrip()]
    if shown["digest"]:
        lines += ["", f"Digest {shown['digest']}"]
    return lines
