"""Improvements that stand side by side on one base: each is fine alone, and this says whether they are together.

When one of them goes live, the other is carried over and proven anew in any case. This only tells a person before.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from itertools import combinations, islice

from aiimprove import build, disk
from aiimprove.card import visible
from aiimprove.carrying import carried
from aiimprove.errors import BuildFailed, Refused
from aiimprove.evidence import Evidence, Verdict
from aiimprove.finding import Json
from aiimprove.freshness import PROVEN, lapsed
from aiimprove.improvement import Improvement, Status
from aiimprove.lock import held
from aiimprove.proving import CLONES, Case, prove_several
from aiimprove.workspace import LIVE_COMMIT, Workspace

PAIRS = "pairs"
FINE, CONFLICT, UNKNOWN = "fine", "conflict", "unknown"
LOOKED_AT = ("smoke", "probe", "tests")
"""What two may break together; the rest was asked of each alone. The second one's probe is asked too."""
PAUSE = 600.0
"""Seconds before a pair is tried again that the machine failed at."""
Pair = tuple[Improvement, Improvement]
Told = tuple[str, str]


def due(workspace: Workspace) -> Pair | None:
    """The next two that were not tried together as they are now, the most urgent first."""
    known = workspace.store.fact(PAIRS) or {}
    return next((pair for pair in _pairs(workspace) if not _is_told(known.get(_key(*pair)))), None)


def try_next(workspace: Workspace) -> str:
    """Try the next two together; what came of it in words, empty when none was due. Raises Locked."""
    if due(workspace) is None:
        return ""
    with held(workspace.store, "proof of a pair", "trying two improvements together"):
        pair = due(workspace)
        if pair is None:
            return ""
        word, why = _tried(workspace, *pair)
        _note(workspace, pair, word, why)
        return f"{pair[0].id} and {pair[1].id} together: {word} ({why})"


def beside(workspace: Workspace, improvement: Improvement) -> list[dict[str, Json]]:
    """What is known of this improvement together with each other one that stands beside it."""
    return [{"with": other.id, "title": visible(other.title), "word": told["word"], "why": visible(told["why"])}
            for other, told in _beside(workspace, improvement)]


def must_go_with_what_is_approved(workspace: Workspace, improvement: Improvement) -> None:
    """Raises Refused when it breaks together with one that was approved: the yes would never be carried out."""
    for other, told in _beside(workspace, improvement):
        if told["word"] == CONFLICT and other.status is Status.APPROVED:
            raise Refused(f"{improvement.id} does not go together with {other.id}, which is approved: {told['why']}. "
                          f"When {other.id} is live, {improvement.id} is carried over, proven on top of it, and asked "
                          f"again if that holds; or reject {other.id} first")


def _beside(workspace: Workspace, improvement: Improvement) -> Iterator[tuple[Improvement, dict[str, Json]]]:
    known = workspace.store.fact(PAIRS) or {}
    for other in workspace.store.improvements(PROVEN) if improvement.status in PROVEN else ():
        told = known.get(_key(improvement, other))
        if other.id != improvement.id and told:
            yield other, told


def _pairs(workspace: Workspace) -> Iterator[Pair]:
    live = workspace.store.fact(LIVE_COMMIT)
    proven = [each for each in workspace.store.improvements(PROVEN)
              if each.base_commit == live and each.digest and not lapsed(workspace, each)]
    return islice(combinations(proven, 2), workspace.config.limits.waiting)


def _key(one: Improvement, other: Improvement) -> str:
    """What is known of two holds for exactly these patches on this base, by this judge."""
    return " ".join(sorted((one.digest, other.digest)))


def _is_told(known: dict[str, Json] | None) -> bool:
    return known is not None and (known["word"] != UNKNOWN or abs(time.time() - known["at"]) < PAUSE)


def _tried(workspace: Workspace, one: Improvement, other: Improvement) -> Told:
    repository = workspace.repository
    second = carried(repository, other.base_commit, other.commit, one.commit)
    if second.conflict:
        return CONFLICT, f"both change {second.conflict}, in ways that cannot be merged"
    if not second.files:
        return CONFLICT, "both make the same change"
    commit = repository.commit_files(one.commit, second.files, f"{one.title}, and {other.title}\n")
    disk.must_fit(workspace.config, f"{one.id} and {other.id} together", disk.live_data(workspace.config) * CLONES)
    try:
        return _told(_evidence(workspace, (one, other), commit))
    except BuildFailed as failed:
        return CONFLICT, f"they do not build together: {str(failed).splitlines()[0]}"


def _evidence(workspace: Workspace, pair: Pair, commit: str) -> list[Evidence]:
    config, repository, work = workspace.config, workspace.repository, workspace.work("pair")
    shutil.rmtree(work, ignore_errors=True)  # what a crash left
    workspace.progress(f"trying {pair[0].id} and {pair[1].id} together")
    both = build.build(config, repository, commit, workspace.box, workspace.progress)
    cases = [Case(config, repository, each.finding, workspace.live(), both, workspace.data("live"), work / each.id,
                  workspace.box, workspace.progress, checks)
             for each, checks in zip(pair, (LOOKED_AT, ("probe",)), strict=True)]
    try:
        return prove_several(cases)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _told(evidence: list[Evidence]) -> Told:
    """What the checks come to. Where nobody has tests for it, the addresses and both probes are enough."""
    checks = [check for each in evidence for check in each.checks]
    failed = [f"{each.name}: {each.summary}" for each in checks if each.verdict is Verdict.FAILED]
    untold = [f"{each.name}: {each.summary}" for each in checks if each.verdict is Verdict.ERRORED
              or (each.verdict is Verdict.INCONCLUSIVE and each.name != "tests")]
    if failed:
        return CONFLICT, "; ".join(failed)
    return (UNKNOWN, "; ".join(untold)) if untold else (FINE, "; ".join(f"{each.name}: {each.summary}"
                                                                        for each in checks))


def _note(workspace: Workspace, pair: Pair, word: str, why: str) -> None:
    """Remember it, and forget what was said of others than those that stand side by side now."""
    digests = {each.digest for each in workspace.store.improvements(PROVEN)}
    with workspace.store.transaction():
        known = {key: told for key, told in (workspace.store.fact(PAIRS) or {}).items() if set(key.split()) <= digests}
        workspace.store.set_fact(PAIRS, known | {_key(*pair): {"word": word, "why": why, "at": time.time()}})
