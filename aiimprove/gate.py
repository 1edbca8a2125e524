"""The gate's own test: it is fed what it must refuse, and when any of that passes, nothing passes any more.

Error seeding, as in Mills, "On the statistical validation of computer programs" (1972), of the judge: the checks run
for real, on baits.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from aiimprove import disk
from aiimprove.baits import Bait, Baits
from aiimprove.errors import Refused
from aiimprove.event import Event
from aiimprove.evidence import Evidence, Verdict
from aiimprove.finding import Json
from aiimprove.freshness import PROVEN
from aiimprove.improvement import Improvement
from aiimprove.lock import held
from aiimprove.policy import outcome
from aiimprove.proving import CLONES, Case, judge_digest, prove_several
from aiimprove.workspace import GATE, LIVE_COMMIT, Workspace

OPEN, CLOSED, INCONCLUSIVE = "open", "closed", "inconclusive"
PAUSE = 600.0
"""Seconds before a gate that is closed, or could not be tried, is fed again."""
_LOG = logging.getLogger("aiimprove")


def must_be_open(workspace: Workspace) -> None:
    """Raises Refused with the reason while the gate is closed."""
    why = closed(workspace)
    if why:
        raise Refused(f"the gate is closed: {why}. 'aiimprove run' feeds it again every {PAUSE / 60:.0f} minutes, and "
                      "so does 'aiimprove run --once'; it opens when nothing bad passes")


def closed(workspace: Workspace) -> str:
    """Why nothing may pass; empty while the gate is open."""
    known = workspace.store.fact(GATE)
    return str(known["why"]) if known and not known["open"] else ""


def due(workspace: Workspace) -> Improvement | None:
    """What the gate would be fed with now: once for every judge, base and day; sooner after it could not be trusted."""
    known = workspace.store.fact(GATE) or {}
    if _key(workspace) == known.get("key") and (known["word"] == OPEN or abs(time.time() - known["at"]) < PAUSE):
        return None
    live = workspace.store.fact(LIVE_COMMIT)
    proven = [each for each in workspace.store.improvements(PROVEN) if each.base_commit == live and each.evidence]
    return max(proven, key=lambda each: each.evidence.made if each.evidence else 0.0, default=None)


def feed(workspace: Workspace) -> str:
    """Feed the gate when that is due; what came of it in words, empty when it was not. Raises Locked."""
    if due(workspace) is None:
        return ""
    with held(workspace.store, "proof of the gate", "feeding the gate what it must refuse"):
        improvement = due(workspace)
        return _feed(workspace, improvement) if improvement else ""


def _feed(workspace: Workspace, improvement: Improvement) -> str:
    began = time.monotonic()
    disk.must_fit(workspace.config, "the gate's own test", disk.live_data(workspace.config) * CLONES)
    baits = list(Baits(workspace.repository, workspace.config, improvement).all())
    workspace.progress("feeding the gate what it must refuse")
    fed = list(zip(baits, _evidence(workspace, improvement, baits), strict=True))
    slipped = [words for bait, evidence in fed for words in _slipped(bait, evidence)]
    unknown = [words for bait, evidence in fed for words in _unknown(bait, evidence)]
    word = CLOSED if slipped else INCONCLUSIVE if unknown else OPEN
    why = "; ".join(slipped or unknown) or f"refused {', '.join(bait.name for bait in baits)}"
    return _note(workspace, improvement, word, why, time.monotonic() - began)


def _evidence(workspace: Workspace, improvement: Improvement, baits: Sequence[Bait]) -> list[Evidence]:
    """What the checks say. Nothing is built: what runs is live's own artifact, which is what all baits come to but
    for those that are only read."""
    live, work = workspace.live(), workspace.work("gate")
    shutil.rmtree(work, ignore_errors=True)  # what a crash left
    cases = [Case(workspace.config, workspace.repository, improvement.finding, live, replace(live, commit=bait.commit),
                  workspace.data("live"), work / str(number), workspace.box, workspace.progress, bait.must)
             for number, bait in enumerate(baits)]
    try:
        return prove_several(cases)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _slipped(bait: Bait, evidence: Evidence) -> Iterator[str]:
    """Which checks let a bait pass, each by itself: another one that noticed it is no excuse."""
    passed = [check.name for check in evidence.checks if check.name in bait.must and check.verdict is Verdict.PASSED]
    if passed:
        yield f"{bait.name} passed {' and '.join(passed)}"
    elif outcome(evidence) is Verdict.PASSED:
        yield f"{bait.name} passed as a whole"


def _unknown(bait: Bait, evidence: Evidence) -> Iterator[str]:
    told = {check.name for check in evidence.checks if check.verdict is not Verdict.ERRORED}
    if not told >= set(bait.must):
        said = "; ".join(check.summary for check in evidence.checks if check.verdict is not Verdict.PASSED)
        yield f"{bait.name} could not be tried: {said}"


def _note(workspace: Workspace, improvement: Improvement, word: str, why: str, seconds: float) -> str:
    """Remember it, with an event. Inconclusive changes nothing: what is closed stays closed, for its old reason."""
    store, before = workspace.store, workspace.store.fact(GATE) or {"open": True, "why": ""}
    stays_closed = word == INCONCLUSIVE and not before["open"]
    opened = word == OPEN and not before["open"]
    known: dict[str, Json] = {"key": _key(workspace), "at": time.time(), "word": word, "improvement": improvement.id,
                              "open": word == OPEN or (word == INCONCLUSIVE and before["open"]),
                              "why": before["why"] if stays_closed else why, "seconds": round(seconds, 1),
                              "opened": time.time() if opened else before.get("opened", 0.0)}
    name = {OPEN: "gate.opened" if opened else "gate.held", CLOSED: "gate.closed"}.get(word, "gate.untold")
    with store.transaction():
        store.set_fact(GATE, known)
        store.append(Event(name, "gate", workspace.performer, {"message": why, "improvement": improvement.id}))
    if word != OPEN:
        _LOG.warning("the gate is %s: %s", word, why)
    return f"the gate is {word}: {why}"


def _key(workspace: Workspace) -> list[str]:
    return [judge_digest(workspace.config), str(workspace.store.fact(LIVE_COMMIT)),
            time.strftime("%Y-%m-%d", time.gmtime())]
