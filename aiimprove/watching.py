"""The watch over a release that has just got traffic: its health, what its visitors get, and what replays show."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field

from aiimprove.canary import (
    ERRORS,
    MISSED,
    PAIRS,
    SECONDS,
    Judgement,
    Ledger,
    Pace,
    Pair,
    counted,
    judge,
    route,
    set_aside,
)
from aiimprove.evidence import Verdict
from aiimprove.gateway import Answer, Cursor
from aiimprove.heartbeat import SILENT_SECONDS, Heartbeat, healthy
from aiimprove.release import Deployment, Environment
from aiimprove.replaying import OPERATORS, Recorded, Replays
from aiimprove.slots import RunningSlot
from aiimprove.workspace import Workspace

_LOG = logging.getLogger("aiimprove")
LOOK_SECONDS = 0.25
NOTE_SECONDS = 2.0
DEATHS = 2
KNOWN = "canary"
LONGER = 3
_HISTORY = 2000


@dataclass
class Seen:
    """What is known of the new release and the one before it, since the new one got its first visitor at `began`."""

    cursor: Cursor
    ledger: Ledger = field(default_factory=Ledger)
    recorded: Recorded = field(default_factory=Recorded)
    pace: Pace = field(default_factory=Pace)
    began: float = field(default_factory=time.monotonic)
    deaths: int | None = None
    noted: float = 0.0


def before_switch(workspace: Workspace, deployment: Deployment) -> Seen:
    """What visitors got lately from the release that serves, as far as the log goes back."""
    answers, cursor = workspace.gateway.answers(Cursor())
    seen, live = Seen(cursor), [each for each in answers if _to_a_visitor(each)]
    for each in deque((each for each in live if each.release == deployment.replaces and each.finished), _HISTORY):
        seen.ledger.remember(_route(each), each.status >= 500, _timed(each))
    seen.recorded.keep(live)
    return seen


def promoted(seen: Seen) -> None:
    """From now on all visitors meet the new release: their errors are counted anew."""
    seen.ledger.begin_epoch(time.monotonic() - seen.began, ERRORS)


def watch(workspace: Workspace, deployment: Deployment, seen: Seen, seconds: float,
          missed: float | None = None) -> Judgement | None:
    """Watch for so many seconds, or until the release fails; with `missed` (the error probability that a canary's step
    may have) also until it is known to be good. Without, up to `LONGER` times as long again while it is suspicious.
    None when somebody took it back meanwhile."""
    until = time.monotonic() + seconds
    with ExitStack() as opened:
        replays, heart = _replays(workspace, deployment, opened), opened.enter_context(Heartbeat())
        while True:
            judgement = _look(workspace, deployment, seen, heart) or _judged(workspace, seen, heart, missed or MISSED)
            if judgement.on and replays:
                _control(seen, replays, judgement, promoted=not missed)
                judgement = _judged(workspace, seen, heart, missed or MISSED)
            longer = 0.0 if missed or not judgement.suspicious else seconds * LONGER
            over = time.monotonic() >= until + longer
            _note(workspace, deployment, seen, judgement, missed or MISSED)
            if judgement.failed or over or (missed and judgement.verdict is Verdict.PASSED):
                judgement = counted(judgement, seen.ledger, missed or MISSED)
                _LOG.info("release %s, %s: %s", deployment.release, judgement.verdict, judgement.why)
                return judgement
            if not _still_ours(workspace, deployment):
                return None
            _until_next_look(seen, replays, min(until + longer, time.monotonic() + LOOK_SECONDS))


def _look(workspace: Workspace, deployment: Deployment, seen: Seen, heart: Heartbeat) -> Judgement | None:
    """See what there is to see; a judgement when that alone is enough."""
    answers, seen.cursor = workspace.gateway.answers(seen.cursor)
    _count(seen, answers, deployment)
    slots = workspace.slots.running(Environment.LIVE)
    slot, old = slots.get(deployment.slot), slots.get(deployment.slot.other)
    if slot is None:
        heart.miss()
        return None
    heart.beat(workspace.slots.health_urls(slot))
    if heart.silent and old and healthy(workspace.slots.health_urls(old), SILENT_SECONDS):
        return Judgement(Verdict.FAILED, f"it has not answered for {SILENT_SECONDS:g} seconds, and {old.release} does")
    if _keeps_dying(workspace, slot, seen):
        return Judgement(Verdict.FAILED, f"its services died {DEATHS} times")
    return None


def _judged(workspace: Workspace, seen: Seen, heart: Heartbeat, missed: float) -> Judgement:
    return judge(seen.ledger, heart.failed, workspace.config.deploy.error_percent / 100, missed)


def _control(seen: Seen, replays: Replays, judgement: Judgement, *, promoted: bool) -> None:
    """Before a release is taken back: the same reads to both, now."""
    began, pairs = time.monotonic(), list[Pair]()
    while len(pairs) < PAIRS and time.monotonic() < began + SECONDS:
        pair = replays.replay(seen.recorded, judgement.stratum)
        if pair is None:
            return
        pairs.append(pair)
        seen.ledger.add_pair(time.monotonic() - seen.began, pair.route, pair.bad, None)
    now = time.monotonic()
    if set_aside(seen.ledger, judgement, pairs, now - seen.began, promoted=promoted, idle=seen.pace.comparable(now)):
        _LOG.info("set aside, because the release before suffers too: %s", judgement.why)


def _until_next_look(seen: Seen, replays: Replays | None, until: float) -> None:
    """Replay what may be replayed, and wait."""
    pause = threading.Event()
    while (left := until - time.monotonic()) > 0:
        wait = seen.pace.wait(time.monotonic()) if replays else None
        pause.wait(left if wait is None else min(wait, left))
        if replays is None or wait is None or wait >= left:
            continue
        began = time.monotonic()
        pair = replays.replay(seen.recorded)
        if pair is None:
            pause.wait(left)
            continue
        seen.pace.replayed(began, time.monotonic() - began)
        seen.ledger.add_pair(began - seen.began, pair.route, pair.bad,
                             pair.seconds if seen.pace.comparable(began) else None)


def _replays(workspace: Workspace, deployment: Deployment, opened: ExitStack) -> Replays | None:
    """Only while both releases run."""
    slots = workspace.slots.running(Environment.LIVE)
    new, old = slots.get(deployment.slot), slots.get(deployment.slot.other)
    if new is None or old is None or (new.release, old.release) != (deployment.release, deployment.replaces):
        return None
    return Replays(new.ports, old.ports, opened)


def _count(seen: Seen, answers: Iterable[Answer], deployment: Deployment) -> None:
    for answer in answers:
        if not _to_a_visitor(answer) or answer.release not in (deployment.release, deployment.replaces):
            continue
        candidate, at = answer.release == deployment.release, time.monotonic() - seen.began
        seen.pace.met(time.monotonic(), candidate, answer.seconds)
        if not answer.finished:
            seen.ledger.broke_off(at, candidate)
            continue
        failed = answer.failed_candidate or answer.tried_again or answer.status >= 500
        seen.ledger.add(at, candidate, _route(answer), failed, None if failed else _timed(answer))
        if answer.failed_candidate:  # stable answered in its place
            seen.ledger.add(at, False, _route(answer), answer.status >= 500, None)
        seen.recorded.keep([answer])


def _to_a_visitor(answer: Answer) -> bool:
    return answer.environment == Environment.LIVE and OPERATORS not in answer.uri


def _route(answer: Answer) -> str:
    return route(answer.service, answer.method, answer.uri)


def _timed(answer: Answer) -> float | None:
    """A conversation takes as long as both want."""
    return None if answer.status == 101 else answer.seconds


def _keeps_dying(workspace: Workspace, slot: RunningSlot, seen: Seen) -> bool:
    """Whether services died again and again since we watch, although their shims had them back at once."""
    deaths = workspace.slots.deaths(slot)
    seen.deaths = deaths if seen.deaths is None else seen.deaths
    return deaths - seen.deaths >= DEATHS


def _note(workspace: Workspace, deployment: Deployment, seen: Seen, judgement: Judgement, missed: float) -> None:
    """For `status`: what is known by now."""
    now = time.monotonic()
    if now - seen.noted >= NOTE_SECONDS or judgement.failed:
        seen.noted, known = now, counted(judgement, seen.ledger, missed)
        workspace.store.set_fact(KNOWN, {"deployment": deployment.id, "verdict": known.verdict, "why": known.why,
                                         "missing": known.missing})


def _still_ours(workspace: Workspace, deployment: Deployment) -> bool:
    """Renew the lease; False when the deployment was taken back, by a person or by the gateway's shim."""
    if deployment.replaces and not workspace.gateway.renew(deployment.id, workspace.config.deploy.lease_seconds):
        return False
    return workspace.store.deployment(deployment.id).version == deployment.version
