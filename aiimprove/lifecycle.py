"""The order of the stages, for `run`. A step that is heavy runs in a process of its own
(`python -m aiimprove.lifecycle STEP`), so that the loop stays small and a step that dies takes nothing with it."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiimprove.errors import AiimproveError
from aiimprove.lock import held
from aiimprove.taken import note
from aiimprove.workspace import LIVE_RELEASE, Workspace

NOTHING_DUE, INTERRUPTED = 9, 130
_LOG = logging.getLogger("aiimprove")


@dataclass(frozen=True)
class Done:
    """One step that was taken: its name, its exit code, and what it did in words."""

    name: str
    exit_code: int
    words: str


def _settle(workspace: Workspace) -> str:
    from aiimprove import deployment

    return deployment.settle(workspace)


def _health(workspace: Workspace) -> str:
    from aiimprove import health, logs, recording, revival, way_back

    logs.cut_all(workspace.config)
    recording.read(workspace.config)
    revived = way_back.keep_serving(workspace) + revival.serve_again(workspace)
    if revived:
        _LOG.warning("health: %s of what keeps live alive had died and was started again", revived)
    seen = health.check(workspace)
    return f"score {seen['score']}, live {seen['live']}"


def _analyze(workspace: Workspace) -> str:
    from aiimprove import analysis, looked

    if workspace.store.fact(LIVE_RELEASE) is None or not looked.worth_it(workspace):
        return ""
    seen = analysis.analyze(workspace)
    return f"{len(seen.findings)} findings, {len(seen.proposed)} of them new"


def _generate(workspace: Workspace) -> str:
    from aiimprove import generation

    made = generation.generate(workspace)
    return f"{made.id} is {made.status}" if made else ""


def _test(workspace: Workspace) -> str:
    from aiimprove import verification

    made = verification.verify(workspace)
    return f"{made.id} is {made.status}" if made else ""


def _gate(workspace: Workspace) -> str:
    from aiimprove import gate

    return gate.feed(workspace)


def _request(workspace: Workspace) -> str:
    from aiimprove import approval

    approval.expire(workspace)
    made = approval.request(workspace)
    return f"{made.id} waits for an answer" if made else ""


def _deploy(workspace: Workspace) -> str:
    from aiimprove import deployment

    plan = deployment.plan(workspace)
    if plan is None or plan.done:
        return ""
    return f"{plan.what} is live as {deployment.deploy(workspace, plan).release}"


def _preview(workspace: Workspace) -> str:
    from aiimprove import development

    if development.up_to_date(workspace):
        return ""
    shown = development.show(workspace)
    return f"dev shows {shown.improvement or 'what is live'}"


def _predictions(workspace: Workspace) -> str:
    from aiimprove import settlement

    return settlement.settle(workspace)


def _pairs(workspace: Workspace) -> str:
    from aiimprove import pairs

    return pairs.try_next(workspace)


def _digest(workspace: Workspace) -> str:
    from aiimprove import digest

    return digest.send(workspace) if digest.due(workspace) else ""


def _prune(workspace: Workspace) -> str:
    from aiimprove import footprint, upkeep

    if upkeep.due(workspace):
        return f"removed {upkeep.prune(workspace).words}"
    if upkeep.measuring_due(workspace):
        footprint.measure(workspace)
    return ""


STEPS: Mapping[str, Callable[[Workspace], str]] = {
    "settle": _settle, "health": _health, "deploy": _deploy, "analyze": _analyze, "generate": _generate,
    "test": _test, "gate": _gate, "request-approval": _request, "preview": _preview,
    "predictions": _predictions, "pairs": _pairs, "prune": _prune, "digest": _digest,
}
"""Each takes what is due, says in words what it did, and says nothing when nothing was due."""
_MAKING = ("generate", "test", "gate", "request-approval")


def once(workspace: Workspace) -> list[Done]:
    """Everything that is due, in order, here. Raises Locked when a `run` is at it."""
    with held(workspace.store, "run", "run --once"):
        done = _steps(workspace, ("settle", "health", "deploy", "analyze"))
        for _ in range(2 * workspace.config.limits.waiting):
            made = _steps(workspace, _MAKING)
            done += made
            if not any(step.exit_code == 0 for step in made):
                break
        done += _steps(workspace, ("deploy", "preview", "predictions"))
        for _ in range(workspace.config.limits.waiting):
            done += _steps(workspace, ("pairs",))
        return done + _steps(workspace, ("prune", "digest"))


def _steps(workspace: Workspace, names: tuple[str, ...]) -> list[Done]:
    return [done for name in names if (done := take(workspace, name)).words]


def take(workspace: Workspace, name: str) -> Done:
    """Take one step; a foreseen failure is logged and becomes the step's exit code."""
    try:
        words = timed(workspace, name)
    except AiimproveError as error:
        _LOG.warning("%s: %s", name, error)
        return Done(name, error.exit_code, str(error))
    if words:
        _LOG.info("%s: %s", name, words)
    return Done(name, 0 if words else NOTHING_DUE, words)


def timed(workspace: Workspace, name: str) -> str:
    """Take one step and note how long it took; what it did in words. Raises what the step raises."""
    began, succeeded = time.monotonic(), False
    try:
        words = STEPS[name](workspace)
        succeeded = True
    finally:
        note(workspace.store, name, time.monotonic() - began, succeeded)
    return words


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def main(name: str) -> int:
    """One step in a process of its own. SIGTERM is an interruption: what is under way is undone."""
    from aiimprove import config, journal

    signal.signal(signal.SIGTERM, _interrupted)
    settings = config.load()
    journal.open_journal(settings.logs_folder, sentences=False)
    try:
        return take(Workspace(settings, "run"), name).exit_code
    except KeyboardInterrupt:
        _LOG.info("%s: interrupted", name)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
