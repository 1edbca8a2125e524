"""The releases that are kept: what a rollback can go to."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from aiimprove import build
from aiimprove.errors import NotFound, Refused
from aiimprove.finding import Json
from aiimprove.release import DeploymentStatus, Release
from aiimprove.workspace import DEV_RELEASE, LIVE_RELEASE, Workspace


@dataclass(frozen=True)
class Kept:
    """A kept release. `role` is live, before (what a bare rollback goes to), served, candidate or built; `served` is
    when it went live last (unix seconds), `subject` the first line of its commit's message, `differs` the keys of the
    config in which it is not what a release made today would be."""

    id: str
    commit: str
    subject: str
    made: float
    served: float | None
    role: str
    on_dev: bool
    improvements: tuple[str, ...]
    differs: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        return asdict(self)


def kept(workspace: Workspace) -> list[Kept]:
    """Every kept release, what serves first, then by when it served or was made."""
    store = workspace.store
    names: dict[str, list[str]] = {}
    for each in store.improvements():
        names.setdefault(each.release, []).append(each.id)
    committed = store.deployments(DeploymentStatus.COMMITTED)
    served = {each.release: each.finished for each in reversed(committed)}
    live, before = str(store.fact(LIVE_RELEASE) or ""), committed[0].replaces if committed else ""
    found = []
    for release in build.kept(workspace.config):
        role = _role(release, live, before, served, names)
        found.append(Kept(release.id, release.commit, _subject(workspace, release), release.made,
                          served.get(release.id), role, release.id == store.fact(DEV_RELEASE),
                          tuple(names.get(release.id, ())), tuple(build.changed(workspace.config, release))))
    return sorted(found, key=lambda each: (each.role != "live", -(each.served or 0.0), -each.made))


def _role(release: Release, live: str, before: str, served: dict[str, float], candidates: dict[str, list[str]]) -> str:
    if release.id in (live, before):
        return "live" if release.id == live else "before"
    return "served" if release.id in served else "candidate" if release.id in candidates else "built"


def _subject(workspace: Workspace, release: Release) -> str:
    """Empty when the commit is not in the repository any more; its artifacts are kept all the same."""
    try:
        return workspace.repository.subject(release.commit)
    except (NotFound, Refused):
        return ""
