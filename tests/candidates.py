"""Improvements that stand at any arrow, made through the engine's own repository, builder and store.

For tests of one arrow: the way there is walked by other tests.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from aiimprove import build, config
from aiimprove.evidence import Check, Evidence, Verdict
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.improvement import Approval, Improvement, Status
from aiimprove.policy import REQUIRED
from aiimprove.proving import judge_digest
from aiimprove.verification import approval_digest
from aiimprove.workspace import Workspace

if TYPE_CHECKING:
    from bench.site import Site

WHO = "tester"
_WAY = (Status.GENERATED, Status.VERIFIED, Status.AWAITING_APPROVAL, Status.APPROVED)


@contextmanager
def opened(site: Site) -> Iterator[Workspace]:
    """The site's workspace in this process."""
    found = config.load(site.folder)
    workspace = Workspace(replace(found, state_folder=site.state), WHO)
    assert os.path.samefile(found.repository, site.folder)
    try:
        yield workspace
    finally:
        workspace.store.close()


def shown_by(name: str) -> dict[str, bytes | None]:
    """A change that a visitor can see: /demo/NAME.txt is there."""
    return {f"backend/demo/{name}.txt": name.encode()}


def commit(site: Site, files: Mapping[str, bytes | None], message: str = "a change") -> str:
    """A commit on top of live with these files; no branch moves and no file of the person's tree."""
    with opened(site) as workspace:
        return workspace.repository.commit_files(workspace.live().commit, files, message)


def live_text(site: Site, path: str) -> str:
    with opened(site) as workspace:
        return (workspace.repository.read(workspace.live().commit, path) or b"").decode()


def improvement(site: Site, name: str, status: Status, files: Mapping[str, bytes | None] | None = None) -> Improvement:
    """An improvement in this status with a change of its own: by default one that a visitor can see."""
    probe = Probe("http", "backend", {"method": "GET", "path": f"/demo/{name}.txt"}, {"status_in": [200]})
    finding = Finding("test", Kind.FEATURE, f"nothing-at-{name}", "backend", f"Show {name}", f"{name} is missing.",
                      probe, 50.0)
    with opened(site) as workspace:
        made = workspace.store.add(Improvement(name, finding), WHO)
        return _walk(workspace, made, status, files or shown_by(name))


def asked_for(site: Site, improvement_id: str) -> Improvement:
    """A GENERATED improvement as if its proof had been made: the proof itself is walked by other tests."""
    with opened(site) as workspace:
        made = _verified(workspace, workspace.store.improvement(improvement_id))
        return _save(workspace, made, made.advance(Status.AWAITING_APPROVAL))


def _walk(workspace: Workspace, made: Improvement, to: Status, files: Mapping[str, bytes | None]) -> Improvement:
    for status in _WAY:
        if made.status is to:
            return made
        if status is Status.GENERATED:
            made = _generated(workspace, made, files)
        elif status is Status.VERIFIED:
            made = _verified(workspace, made)
        elif status is Status.APPROVED:
            made = _save(workspace, made, made.advance(status, approval=Approval(WHO, made.digest, 1.0)))
        else:
            made = _save(workspace, made, made.advance(status))
    return made


def _generated(workspace: Workspace, made: Improvement, files: Mapping[str, bytes | None]) -> Improvement:
    repository, base = workspace.repository, workspace.live().commit
    commit = repository.commit_files(base, files, made.title)
    repository.set_branch(f"ai/{made.id}", commit)
    return _save(workspace, made, made.advance(Status.GENERATED, commit=commit, base_commit=base, author="test",
                                               branch=f"ai/{made.id}", patch=repository.diff(base, commit)))


def _verified(workspace: Workspace, made: Improvement) -> Improvement:
    release = build.build(workspace.config, workspace.repository, made.commit, workspace.box, lambda _: None)
    workspace.store.add_release(release)
    checks = tuple(Check(name, Verdict.PASSED, f"{name} was not looked at here") for name in REQUIRED)
    evidence = Evidence(made.base_commit, made.commit, checks, ("everything",), release.artifact,
                        judge_digest(workspace.config), made.finding.probe.digest(), time.time())
    digest = approval_digest(workspace, made, release)
    return _save(workspace, made, made.advance(Status.VERIFIED, evidence=evidence, release=release.id, digest=digest,
                                               artifact=release.artifact))


def _save(workspace: Workspace, before: Improvement, after: Improvement) -> Improvement:
    return workspace.store.save(before, after, WHO)
