"""Typer's table of verbs, and the boundary at which every foreseen failure becomes a sentence and an exit code."""

from __future__ import annotations

import importlib
import logging
import os
import sqlite3
import sys
from collections.abc import Sequence

import typer
from typer.exceptions import Abort, Exit, TyperException

from aiimprove.errors import AiimproveError, UsageError
from commands import output

VERBS = ("init", "analyze", "generate", "test", "request_approval", "approve", "reject", "deploy", "rollback",
         "restore", "releases", "health", "run", "status", "show", "findings", "digest", "preview", "logs", "audit",
         "evidence", "prune", "up", "down", "operator", "service", "metrics", "upgrade")
INTERRUPTED = 130
_GROUPS: tuple[list[str], ...] = ([], ["operator"], ["service"], ["evidence"])
"""Calls that stop before a verb: they get the help."""
HELP = """Keeps a web app live and keeps making it better.

The order of an improvement's life: analyze, generate, test, request-approval, approve, deploy. 'run' takes these
steps by itself, except for the answer. Every verb has --json (docs/cli-json.md) and --help.

Exit codes: 0 done, or nothing was due; 1 a bug, or the machine said no; 2 wrong words or config; 3 refused;
4 a check failed; 5 not put live, the release before serves; 6 somebody else is at it; 7 no such thing;
130 interrupted.
"""


def table() -> typer.Typer:
    """Every verb, in the order of an improvement's life."""
    app = typer.Typer(name="aiimprove", no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False,
                      context_settings={"help_option_names": ["-h", "--help"]},
                      help=HELP)
    app.callback()(_version)
    for name in VERBS:
        module = importlib.import_module(f"commands.{name}")
        module.add_to(app)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        from aiimprove import __version__

        typer.echo(__version__)
        raise typer.Exit()


def _version(version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True,
                                          help="Print the version and exit.")) -> None:
    """The options before the verb."""


def run(words: Sequence[str]) -> int:
    """Run one call and return its exit code."""
    try:
        code = _run(output.begin(words))
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left to write is nobody's
        if not isinstance(error, BrokenPipeError):
            print(f"aiimprove: the answer could not be written ({error})", file=sys.stderr)
        return 1
    return code


def _run(words: list[str]) -> int:
    """The only place where errors end."""
    try:
        asked = [*words, "--help"] if words in _GROUPS else words
        return _ended(table()(args=asked, prog_name="aiimprove", standalone_mode=False))
    except Exit as leave:
        return _ended(leave.exit_code)
    except (KeyboardInterrupt, Abort):
        return _ended(INTERRUPTED)
    except TyperException as wrong:
        return output.fail(UsageError(_usage(wrong)))
    except AiimproveError as error:
        logging.getLogger("aiimprove").info("%s failed: %s: %s", output.CALL.command, error.code, error)
        return output.fail(error)
    except sqlite3.Error as error:
        return output.fail(_Machine(f"the state could not be read or written ({error}). Live is not touched by this; "
                                    "free the disk or look at state.db, and repeat the command"))
    except OSError as error:
        return output.fail(_Machine(f"the machine said no ({error}). Live is not touched by this; repeat the command "
                                    "when that is mended"))
    except Exception as bug:
        logging.getLogger("aiimprove").info("%s: a bug", output.CALL.command, exc_info=True)
        return output.fail(AiimproveError(f"a bug of ours: {type(bug).__name__}: {bug} (the log has the traceback). "
                                          "Live is not touched by this"))


def _ended(result: object) -> int:
    """The exit code of a call. Of an interruption Typer gives nothing but the code."""
    if result == INTERRUPTED:
        return output.fail(_Interrupted("interrupted: what was under way is undone or finished by the next command"))
    return result if isinstance(result, int) else 0


def _usage(wrong: TyperException) -> str:
    words = getattr(wrong, "format_message", lambda: str(wrong))()
    return f"{words} ('aiimprove {output.CALL.command} --help' explains)".replace("  ", " ")


class _Machine(AiimproveError):
    code = "machine"


class _Interrupted(AiimproveError):
    code = "interrupted"
    exit_code = INTERRUPTED
