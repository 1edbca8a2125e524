"""Predictions settled against live: what was proven on a copy is asked of the site itself, once it serves there."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable

from aiimprove.answer import Replay
from aiimprove.errors import AiimproveError
from aiimprove.event import Event
from aiimprove.improvement import Improvement, Status
from aiimprove.prediction import missed, only_reads, predict
from aiimprove.probes import replay
from aiimprove.way_back import serving_slot
from aiimprove.workspace import Workspace

SETTLED = "predictions"
HELD, MISSED, UNKNOWN = "held", "missed", "cannot be asked without writing"
TIMES, WARM_SECONDS = 5, 30.0
_LOG = logging.getLogger("aiimprove")


def settle(workspace: Workspace) -> str:
    """Ask live about the next improvement that has been there for a while; empty when none is due."""
    improvement = due(workspace)
    if improvement is None:
        return ""
    said, why = _asked(workspace, improvement)
    with workspace.store.transaction():
        outcomes = dict(workspace.store.fact(SETTLED) or {})
        outcomes[improvement.id] = {"outcome": said, "why": why, "cause": improvement.finding.cause,
                                    "author": improvement.author}
        workspace.store.set_fact(SETTLED, outcomes)
        workspace.store.append(Event("prediction.settled", improvement.id, workspace.performer,
                                     {"message": f"{said}: {why}" if why else said}))
    if said == MISSED:
        _LOG.warning("%s is not as predicted: %s. 'aiimprove rollback' takes it back", improvement.id, why)
    return f"the prediction of {improvement.id}: {said}"


def due(workspace: Workspace) -> Improvement | None:
    """What is live for `WARM_SECONDS`, while nothing is being deployed, and was not asked about yet."""
    known = workspace.store.fact(SETTLED) or {}
    if workspace.store.unfinished():
        return None
    return next((each for each in workspace.store.improvements({Status.LIVE})
                 if each.id not in known and time.time() - each.updated >= WARM_SECONDS), None)


def ranks(workspace: Workspace) -> Callable[[Improvement], float]:
    """How to rank what is proposed: by its impact, halved for each time that the same cause's recipe missed."""
    outcomes = (workspace.store.fact(SETTLED) or {}).values()
    misses = Counter(each["cause"] for each in outcomes if each["outcome"] == MISSED)
    return lambda improvement: float(improvement.finding.impact / 2 ** misses[improvement.finding.cause])


def _asked(workspace: Workspace, improvement: Improvement) -> tuple[str, str]:
    probe, slot = improvement.finding.probe, serving_slot(workspace)
    if not only_reads(probe):
        return UNKNOWN, ""
    port = slot.ports.get(probe.service, 0) if slot else 0
    try:
        seen: list[Replay] = [replay(probe, f"http://127.0.0.1:{port}", workspace.data("live")) for _ in range(TIMES)]
    except AiimproveError as error:
        return UNKNOWN, str(error)
    why = missed(predict(improvement.evidence), [each.passed for each in seen],
                 [each.value for each in seen if each.value is not None])
    return (MISSED, why) if why else (HELD, seen[-1].observed)
