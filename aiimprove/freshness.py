"""How long a proof counts: until live moves, the judge changes, or it is too old. Then it is proven and asked again."""

from __future__ import annotations

import time

from aiimprove.errors import Locked, Stale
from aiimprove.finding import Json
from aiimprove.improvement import Improvement, Status
from aiimprove.lock import holder
from aiimprove.proving import judge_digest
from aiimprove.way_back import DEPLOY
from aiimprove.workspace import GATE, LIVE_COMMIT, Workspace

PROVEN = frozenset({Status.VERIFIED, Status.AWAITING_APPROVAL, Status.APPROVED})
"""Statuses in which somebody may act on a proof."""
_HOUR = 3600.0


def lapsed(workspace: Workspace, improvement: Improvement) -> str:
    """Why the proof of an improvement does not count any more; empty while it does."""
    evidence, hours = improvement.evidence, workspace.config.limits.evidence_hours
    if evidence is None:
        return "it was not proven"
    if improvement.base_commit != workspace.store.fact(LIVE_COMMIT):
        return "live has moved since it was proven"
    if evidence.judge != judge_digest(workspace.config):
        return "the checks or their limits have changed since it was proven"
    if evidence.made < (workspace.store.fact(GATE) or {}).get("opened", 0.0):
        return "the gate was closed since it was proven"
    if abs(time.time() - evidence.made) > hours * _HOUR:  # a clock that was set back gives no second life
        return f"its proof is older than {hours:g} hours"
    return ""


def must_count(workspace: Workspace, improvement: Improvement) -> None:
    """Raises Stale, with what happens next, when nobody may act on the proof any more."""
    why = lapsed(workspace, improvement)
    if why:
        raise Stale(f"{improvement.id}: {why}. It is proven again and asked again while 'aiimprove run' runs, else "
                    "with 'aiimprove run --once'")


def due(workspace: Workspace) -> Improvement | None:
    """The next one whose proof does not count any more although its base still serves; never one that goes live."""
    live = workspace.store.fact(LIVE_COMMIT)
    return next((each for each in workspace.store.improvements(PROVEN) if each.base_commit == live
                 and lapsed(workspace, each) and not _goes_live(workspace, each)), None)


def take_back(workspace: Workspace, improvement: Improvement) -> Improvement:
    """Back to GENERATED, to be proven anew: neither evidence nor approval carries over. Raises Locked while it goes
    live, Stale when somebody was faster."""
    if _goes_live(workspace, improvement):
        raise Locked(f"{improvement.id} is being deployed")
    why = f"{lapsed(workspace, improvement)}: it is proven again"
    after = improvement.advance(Status.GENERATED, reason=why, evidence=None, digest="", approval=None, attempts=0)
    return workspace.store.save(improvement, after, workspace.performer, why)


def _goes_live(workspace: Workspace, improvement: Improvement) -> bool:
    """Asked after the improvement was read, and saving compares its version: a deployment first notes itself there."""
    if improvement.status is not Status.APPROVED:
        return False
    return holder(workspace.store, DEPLOY) is not None or any(
        improvement.id in each.adds for each in workspace.store.unfinished())


def proof(workspace: Workspace, improvement: Improvement) -> dict[str, Json] | None:
    """When the evidence of an improvement was made, and until when it counts, as unix times; None without evidence.
    `until` is None, and `lapsed` empty, where nobody can act on it (any more)."""
    if improvement.evidence is None:
        return None
    made, acted_on = improvement.evidence.made, improvement.status in PROVEN
    until = made + workspace.config.limits.evidence_hours * _HOUR
    return {"made": made, "until": until if acted_on else None,
            "lapsed": lapsed(workspace, improvement) if acted_on else ""}
