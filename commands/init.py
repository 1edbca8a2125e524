from __future__ import annotations

import sys
from typing import Annotated

import typer

from commands import output
from commands.options import Json
from commands.output import answer

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing; what the files do not say stays open.")]
NoStart = Annotated[bool, typer.Option("--no-start", help="Write config.toml only; build and start nothing.")]


def add_to(app: typer.Typer) -> None:
    app.command()(init)


def init(yes: Yes = False, no_start: NoStart = False, json: Json = False) -> None:
    """Write config.toml for the app in this repository.

    Recognises how the app of HEAD is installed, started, tested and asked, builds it as a release, starts it once on
    private ports and empty data, and writes config.toml with a comment on every value. The app is never changed, and a
    file that is there is never written over (exit 3). When the app does not start, the file is written all the same,
    and what it probably lacks is said (exit 5).
    """
    from aiimprove import introduction
    from commands.introduced import data_of, failure, lines

    asks = not (yes or json) and sys.stdin.isatty() and sys.stderr.isatty()
    done = introduction.introduce(introduction.repository_here(), output.progress(), _ask if asks else None,
                                  start=not no_start)
    answer(data_of(done), *lines(done), error=failure(done))


def _ask(question: str) -> str:
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()
