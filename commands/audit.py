from __future__ import annotations

import time
from typing import Annotated

import typer

from commands.options import Json, opened
from commands.output import answer, table

Verify = Annotated[bool, typer.Option("--verify", help="Check the hash chain: any edited or removed event shows.")]
Subject = Annotated[str, typer.Argument(metavar="[SUBJECT]", help="An improvement, deployment or operator.")]
Most = Annotated[int, typer.Option("--limit", min=1, help="How many of the newest events to show.")]


def add_to(app: typer.Typer) -> None:
    app.command()(audit)


def audit(subject: Subject = "", verify: Verify = False, limit: Most = 50, json: Json = False) -> None:
    """Who did what, and when.

    The trail is append-only and chained by hash. With --verify the whole chain is checked; exit 4 when an event was
    changed or removed. docs/security.md says what the chain cannot see.
    """
    from aiimprove.errors import AiimproveError, VerificationFailed

    store = opened().store
    events = store.events(subject, limit)
    broken = store.broken_at() if verify else None
    error: AiimproveError | None = None
    if broken is not None:
        error = VerificationFailed(f"event {broken} was changed, or one before it is missing: the trail cannot be "
                                   "trusted from there on")
    data = {"events": [{"at": each.at, "name": each.name, "subject": each.subject, "performer": each.performer,
                        "body": dict(each.body)} for each in events],
            "packed": store.packed(),
            "verified": None if not verify else broken is None, "broken_at": broken, "head": store.head()}
    rows = [(time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(each.at)), each.name, each.subject, each.performer,
             str(each.body.get("message", ""))) for each in events]
    older = [f"{data['packed']} older events are packed in {store.archive.folder}."] if data["packed"] else []
    verdict = [f"The chain is whole; its head is {store.head()}."] if verify and broken is None else []
    answer(data, table(("when", "what", "of", "by", "message"), rows), *older, *verdict, error=error)
