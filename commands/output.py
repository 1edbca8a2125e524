"""What a command says: one envelope on stdout with --json, sentences for people without."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import typer

from aiimprove.errors import AiimproveError

_STATUS = {0: "ok", 3: "refused", 4: "failed", 5: "failed"}


@dataclass
class Call:
    """The call under way: known before Typer has parsed it, so that a failure before the command runs speaks the
    envelope too."""

    command: str = ""
    json: bool = False
    color: bool = True


CALL = Call()


def begin(words: Sequence[str]) -> list[str]:
    """Note what is called, and return the words without the flags that are for us."""
    named = [word for word in words if not word.startswith("-")]
    CALL.command = named[0] if named else ""
    CALL.json = "--json" in words
    CALL.color = "--no-color" not in words and not os.environ.get("NO_COLOR")
    return [word for word in words if word != "--no-color"]


def answer(data: dict[str, Any], *sentences: str, error: AiimproveError | None = None) -> None:
    """End a command: with its data for programs or its sentences for people; with an error, its exit code."""
    if CALL.json:
        print(envelope(data, error))
    else:
        for sentence in sentences:
            typer.echo(sentence)
        if error:
            typer.echo(f"aiimprove: {error}", err=True)
    raise typer.Exit(error.exit_code if error else 0)


def envelope(data: dict[str, Any], error: AiimproveError | None = None) -> str:
    code = error.exit_code if error else 0
    errors = [{"code": error.code, "message": str(error)}] if error else []
    return json.dumps({"aiimprove": 1, "command": CALL.command, "status": _STATUS.get(code, "error"),
                       "exit_code": code, "data": data, "errors": errors})


def fail(error: AiimproveError) -> int:
    """Report a failure that ended a command and return its exit code."""
    if CALL.json:
        print(envelope({}, error))
    else:
        print(f"aiimprove: {error}", file=sys.stderr)
    return error.exit_code


def progress() -> Callable[[str], None]:
    """Shows short sentences about long work on a terminal; silent when piped."""
    if not sys.stderr.isatty():
        return lambda message: None
    from rich.console import Console

    console = Console(stderr=True, no_color=not CALL.color, highlight=False)
    return lambda message: console.print(f"[dim]· {message}[/dim]" if CALL.color else f"· {message}")


def moment(at: float) -> str:
    """A unix time as a person here reads it."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def proof_words(proof: dict[str, Any]) -> str:
    """When a proof was made, and until when or why not any more it counts."""
    if proof["lapsed"]:
        return f"{moment(proof['made'])}; it does not count any more: {proof['lapsed']}"
    return moment(proof["made"]) + (f", counts until {moment(proof['until'])}" if proof["until"] else "")


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows in columns for people; empty when there is no row."""
    if not rows:
        return ""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from aiimprove.card import visible

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        drawn.add_column(heading, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(visible(cell)) for cell in row))
    wide = sys.stdout.isatty()
    console = Console(no_color=not CALL.color, width=None if wide else 160, highlight=False,
                      force_terminal=wide and CALL.color)
    with console.capture() as captured:
        console.print(drawn)
    return captured.get().rstrip()
