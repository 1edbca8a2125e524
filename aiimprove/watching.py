"""The watch over a release that has just got the traffic: its health, and what its visitors get."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from aiimprove.canary import Judgement, Tally, judge
from aiimprove.errors import AiimproveError
from aiimprove.evidence import Verdict
from aiimprove.gateway import Answer, Cursor
from aiimprove.probes import get
from aiimprove.release import Deployment, Environment
from aiimprove.workspace import Workspace

LOOK_SECONDS = 0.5
DEATHS = 2


@dataclass
class Seen:
    """What visitors got: from the release before up to now, and from the new one since the switch."""

    cursor: Cursor
    old: Tally
    new: Tally = Tally()
    failed_probes: int = 0
    deaths: int | None = None


def before_switch(workspace: Workspace, deployment: Deployment) -> Seen:
    """What visitors got from the release that serves, as far as the log goes back."""
    answers, cursor = workspace.gateway.answers(Cursor())
    seen = Seen(cursor, Tally())
    _count(seen, (each for each in answers if each.release != deployment.release), deployment)
    return seen


def watch(workspace: Workspace, deployment: Deployment, seen: Seen, seconds: float) -> Judgement | None:
    """Watch for so many seconds, or until the release fails; None when somebody took it back meanwhile."""
    until, pause = time.monotonic() + seconds, threading.Event()
    while True:
        answers, seen.cursor = workspace.gateway.answers(seen.cursor)
        _count(seen, answers, deployment)
        seen.failed_probes = 0 if _healthy(workspace, deployment) else seen.failed_probes + 1
        over = time.monotonic() >= until
        if _keeps_dying(workspace, deployment, seen):
            return Judgement(Verdict.FAILED, f"its services died {DEATHS} times")
        judgement = judge(seen.new, seen.old, seen.failed_probes, workspace.config.deploy.error_percent, over=over)
        if judgement.verdict is not Verdict.INCONCLUSIVE:
            return judgement
        if not _still_ours(workspace, deployment):
            return None
        pause.wait(min(LOOK_SECONDS, max(0.0, until - time.monotonic())))


def _keeps_dying(workspace: Workspace, deployment: Deployment, seen: Seen) -> bool:
    """Whether services died again and again since we watch, although their shims had them back at once."""
    slot = workspace.slots.running(Environment.LIVE).get(deployment.slot)
    if slot is None:
        return False
    deaths = workspace.slots.deaths(slot)
    seen.deaths = deaths if seen.deaths is None else seen.deaths
    return deaths - seen.deaths >= DEATHS


def _count(seen: Seen, answers: Iterable[Answer], deployment: Deployment) -> None:
    for answer in answers:
        if answer.environment != Environment.LIVE:
            continue
        bad = int(answer.status >= 500 or answer.failed_candidate or answer.tried_again)
        if answer.release == deployment.release or answer.failed_candidate:
            seen.new = Tally(seen.new.answers + 1, seen.new.errors + bad)
        elif answer.release == deployment.replaces:
            seen.old = Tally(seen.old.answers + 1, seen.old.errors + bad)


def _healthy(workspace: Workspace, deployment: Deployment) -> bool:
    slot = workspace.slots.running(Environment.LIVE).get(deployment.slot)
    if slot is None:
        return False
    try:
        return all(get(url, seconds=workspace.config.health.timeout_seconds).status == 200
                   for url in workspace.slots.health_urls(slot))
    except AiimproveError:
        return False


def _still_ours(workspace: Workspace, deployment: Deployment) -> bool:
    """Renew the lease; False when the deployment was taken back, by a person or by the gateway's shim."""
    if deployment.replaces and not workspace.gateway.renew(deployment.id, workspace.config.deploy.lease_seconds):
        return False
    return workspace.store.deployment(deployment.id).version == deployment.version
