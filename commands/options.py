"""The words that several verbs share, and what they open."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from commands import output

if TYPE_CHECKING:
    from aiimprove.workspace import Workspace

Json = Annotated[bool, typer.Option("--json", help="Print one JSON envelope on stdout and nothing else.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="An improvement, as 'aiimprove status' lists it.")]
NextId = Annotated[str, typer.Argument(metavar="[ID]", help="An improvement; without it, the next one that is due.")]
Digest = Annotated[str, typer.Option("--digest", metavar="HEX", help="The digest that 'show' printed: exactly what "
                                     "you answer about. Needed outside a terminal.")]
Token = Annotated[bool, typer.Option("--token-stdin", help="Read an operator's token from stdin instead of asking "
                                     "at the terminal.")]


def opened(performer: str = "terminal", *, may_migrate: bool = False) -> Workspace:
    """The workspace of the repository we are in, with its journal open."""
    from aiimprove import config, journal
    from aiimprove.store import Store
    from aiimprove.workspace import Workspace
    from commands.stamp import stamp

    settings = config.load()
    journal.open_journal(settings.logs_folder)
    stamp(settings)
    if may_migrate:
        Store(settings.state_folder / "state.db", may_migrate=True).close()
    return Workspace(settings, performer, output.progress())


def operator(workspace: Workspace, token_stdin: bool, question: str, word: str = "yes") -> Workspace:
    """The same workspace, acting for whoever proved to be an operator: by token, or by typing `word` at a terminal.

    Raises NotOperator.
    """
    from dataclasses import replace

    from aiimprove import operators
    from aiimprove.card import visible
    from aiimprove.errors import NotOperator

    if token_stdin:
        return replace(workspace, performer=operators.verify(workspace.store, sys.stdin.readline()))
    if not at_terminal(workspace):
        raise NotOperator("this needs an operator: a token with --token-stdin, or an answer typed at a terminal")
    print(f"{visible(question)} Type {word}: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in {"yes": ("yes", "y")}.get(word, (word,)):
        raise NotOperator(f"the answer was not {word}: nothing was done")
    return workspace


def at_terminal(workspace: Workspace) -> bool:
    """Whether a person sits at a terminal in front of this process, and no service of the app started it."""
    from aiimprove.process import descends_from

    marker = str(workspace.config.state_folder / "run")
    return sys.stdin.isatty() and sys.stderr.isatty() and not descends_from(marker)
