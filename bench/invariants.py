"""What must be true of a site whenever nothing is under way, whatever was killed before."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from aiimprove.event import Event
from aiimprove.improvement import TRANSITIONS, Status
from aiimprove.release import DeploymentStatus, Environment
from aiimprove.workspace import LIVE_RELEASE, Workspace

_ORDER = [status.value for status in DeploymentStatus]


def broken(state: Path, engine: Workspace) -> list[str]:
    """One sentence for each thing that is not as it must be; `state` is the state folder."""
    return [*transitions(engine), *serving(engine), *leftovers(state), *_audit(engine)]


def transitions(engine: Workspace) -> Iterator[str]:
    """Every saved change has its one event, in order, along an arrow of the lifecycle."""
    events = engine.store.events()
    for improvement in engine.store.improvements():
        yield from _walk(improvement.id, improvement.version, improvement.status,
                         [each for each in events if each.subject == improvement.id and each.version])
    for deployment in engine.store.deployments():
        own = [each for each in events if each.subject == deployment.id and each.version]
        words = [each.name.partition(".")[2].upper() for each in own]
        if [each.version for each in own] != list(range(1, deployment.version + 1)) or words[-1] != deployment.status:
            yield f"{deployment.id}: events {words} do not lead to {deployment.status} version {deployment.version}"
        if any(_ORDER.index(after) <= _ORDER.index(before) for before, after in pairwise(words)):
            yield f"{deployment.id} went {words}"
        if not deployment.ended:
            yield f"{deployment.id} is still {deployment.status}"


def _walk(name: str, version: int, status: Status, events: list[Event]) -> Iterator[str]:
    if [each.version for each in events] != list(range(1, version + 1)):
        yield f"{name} has version {version} and events {[each.version for each in events]}"
    at = Status(events[0].name.partition(".")[2].upper())
    for each in events[1:]:
        before, after = Status(each.body["from"]), Status(each.body["to"])
        if before is not at or not (after is at or after in TRANSITIONS[at]):
            yield f"{name}: {before} to {after}, where it was {at}"
        at = after
    if at is not status:
        yield f"{name} is {status}, its events say {at}"


def serving(engine: Workspace) -> Iterator[str]:
    """Exactly one release serves: the one that the store names; it runs, and nothing runs in the other slot."""
    live, current = engine.store.fact(LIVE_RELEASE), engine.gateway.current(Environment.LIVE)
    if current is None or current.release != live:
        yield f"the store says {live}, the gateway {current}"
        return
    running = engine.slots.running(Environment.LIVE).values()
    if [dict(slot.ports) for slot in running] != [dict(current.stable)]:
        yield f"running are {[(slot.slot, slot.release) for slot in running]}, and {live} should serve alone"
    for slot in running:
        missing = set(engine.config.services) - set(slot.identities())
        if missing:
            yield f"{', '.join(missing)} of {slot.release} does not run"
    if engine.gateway.held() or engine.gateway.returned():
        yield "the gateway still holds a watch"


def leftovers(state: Path) -> Iterator[str]:
    """No process of a killed proof or build goes on."""
    work = str(state / "work").encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if work in words:
                yield f"process {entry.name} is left: {words.replace(bytes(1), b' ')[:200].decode(errors='replace')}"


def _audit(engine: Workspace) -> Iterator[str]:
    number = engine.store.broken_at()
    if number is not None:
        yield f"the chain of events is broken at {number}"
