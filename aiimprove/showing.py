"""What a person is shown of an improvement: its card, and what only the records around it know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiimprove import freshness, pairs
from aiimprove.card import card
from aiimprove.event import Event
from aiimprove.improvement import Improvement
from aiimprove.workspace import Workspace


def card_of(workspace: Workspace, improvement: Improvement, events: Sequence[Event] = (),
            dev_url: str | None = None) -> dict[str, Any]:
    """The data of `show --json`, and the card of every other verb."""
    return card(improvement, events, dev_url=dev_url) | {"proof": freshness.proof(workspace, improvement),
                                                         "pairs": pairs.beside(workspace, improvement)}
