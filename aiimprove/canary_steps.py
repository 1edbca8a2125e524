"""The steps of a canary: a growing share of the visitors meets the release, and it is judged at each."""

from __future__ import annotations

import time

from aiimprove.canary import FIRST_GLANCE, MISSED, Judgement
from aiimprove.errors import ReleaseFailed
from aiimprove.event import Event
from aiimprove.evidence import Verdict
from aiimprove.gateway import Generation
from aiimprove.release import Deployment, DeploymentStatus, Environment
from aiimprove.slots import RunningSlot
from aiimprove.watching import Seen, watch
from aiimprove.way_back import record
from aiimprove.workspace import Workspace


class NoVerdict(ReleaseFailed):
    """The canary ended without a verdict, and `deploy.inconclusive` says that this is no yes."""

    code = "no_verdict"


def wanted(workspace: Workspace, deployment: Deployment) -> bool:
    return bool(workspace.config.deploy.canary_steps) and deployment.reason == "deploy"


def begin(workspace: Workspace, deployment: Deployment, fresh: RunningSlot, stable: Generation) -> Deployment:
    """The first step: its share of the visitors meets the new release from now on."""
    percent = workspace.config.deploy.canary_steps[0]
    deployment = record(workspace, deployment, deployment.advance(DeploymentStatus.CANARY, _words(percent)))
    _share(workspace, deployment, fresh, stable, percent)
    return deployment


def carry_out(workspace: Workspace, deployment: Deployment, seen: Seen, fresh: RunningSlot,
              stable: Generation) -> tuple[Deployment, Judgement | None]:
    """Every step in turn, until the release has failed, passed the last, or the time is over; None when it was taken
    back. A step without a verdict gives way to the next when its share of the time is over."""
    limits = workspace.config.deploy
    ends, left = time.monotonic() + limits.canary_seconds, len(limits.canary_steps)
    judgement: Judgement | None = None
    for percent in limits.canary_steps:
        if percent != limits.canary_steps[0]:
            deployment = record(workspace, deployment, deployment.note(_words(percent)))
            _share(workspace, deployment, fresh, stable, percent)
        judgement = watch(workspace, deployment, seen, (ends - time.monotonic()) / left,
                          FIRST_GLANCE if left > 1 else MISSED)
        if judgement is None or judgement.failed:
            return deployment, judgement
        left -= 1
    return deployment, judgement


def decide(workspace: Workspace, deployment: Deployment, judgement: Judgement) -> str:
    """What the record says of a canary that did not fail. Raises NoVerdict when that is not enough."""
    word = workspace.config.deploy.inconclusive if judgement.verdict is Verdict.INCONCLUSIVE else "promote"
    with workspace.store.transaction():
        workspace.store.append(Event("canary.judged", deployment.id, workspace.performer, {
            "verdict": judgement.verdict, "why": judgement.why, "missing": judgement.missing, "therefore": word}))
        for name in deployment.adds:
            improvement = workspace.store.improvement(name)
            workspace.store.put(improvement, improvement.note(), workspace.performer,
                                f"canary {judgement.verdict}, therefore {word}: {judgement.why}")
    if word == "abort":
        raise NoVerdict(f"release {deployment.release} was taken back without a verdict: {judgement.why} "
                        "(deploy.inconclusive = \"promote\" would have promoted it)")
    unknown = judgement.verdict is Verdict.INCONCLUSIVE
    return f"promoted without a verdict (deploy.inconclusive): {judgement.why}" if unknown else judgement.why


def _share(workspace: Workspace, deployment: Deployment, fresh: RunningSlot, stable: Generation,
           percent: float) -> None:
    workspace.slots.verify(fresh)
    generation = stable.with_canary(deployment.release, fresh.ports, round(percent * 10))
    workspace.gateway.switch(Environment.LIVE, generation, watched=deployment.id)
    workspace.progress(f"{_words(percent)} meet it; watching it")


def _words(percent: float) -> str:
    return f"{percent:g} % of the visitors"
