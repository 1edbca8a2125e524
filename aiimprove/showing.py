"""What a person is shown of an improvement: its card, and what only the records around it know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiimprove import freshness, gate, pairs
from aiimprove.card import card, visible
from aiimprove.event import Event
from aiimprove.finding import Json
from aiimprove.improvement import Improvement
from aiimprove.workspace import Workspace


def card_of(workspace: Workspace, improvement: Improvement, events: Sequence[Event] = (),
            dev_url: str | None = None) -> dict[str, Any]:
    """The data of `show --json`, and the card of every other verb."""
    beside = pairs.beside(workspace, improvement)
    against = [visible(each) for each in _against(workspace, improvement, beside)]
    return card(improvement, events, against, dev_url) | {"proof": freshness.proof(workspace, improvement),
                                                          "pairs": beside}


def _against(workspace: Workspace, improvement: Improvement, beside: Sequence[Mapping[str, Json]]) -> Iterator[str]:
    """What whoever says yes should know besides the proof."""
    if improvement.status not in freshness.PROVEN:
        return
    if why := gate.closed(workspace):
        yield f"the gate is closed: {why}"
    if why := freshness.lapsed(workspace, improvement):
        yield f"{why}: it is proven again first"
    for each in beside:
        if each["word"] == pairs.CONFLICT:
            yield f"it does not go together with {each['with']} ({each['title']}): {each['why']}"
