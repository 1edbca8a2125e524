"""generate: an author writes the next proposed improvement on a branch; what live outran is carried over first."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from aiimprove.authors import AUTHORS, Declined
from aiimprove.carrying import carried
from aiimprove.errors import NotFound, Refused
from aiimprove.finding import Finding
from aiimprove.improvement import Improvement, Status
from aiimprove.lock import held
from aiimprove.release import Release
from aiimprove.remembered import refused_approaches, taken_care_of
from aiimprove.repository import CANDIDATES
from aiimprove.settlement import ranks
from aiimprove.tree import LINK, read_tree
from aiimprove.workspace import Workspace

MOVABLE = frozenset({Status.GENERATED, Status.UNPROVEN, Status.VERIFIED, Status.AWAITING_APPROVAL, Status.APPROVED})
IN_HAND = frozenset({Status.GENERATED, Status.VERIFIED, Status.AWAITING_APPROVAL, Status.APPROVED})


def due(workspace: Workspace, release: Release) -> Improvement | None:
    """What `generate` would take next: first what live outran, then the proposal with the largest impact."""
    for improvement in workspace.store.improvements(MOVABLE):
        if improvement.base_commit != release.commit:
            return improvement
    in_hand = workspace.store.improvements(IN_HAND)
    if len(in_hand) >= workspace.config.limits.waiting:
        return None
    proposed = [each for each in workspace.store.improvements({Status.PROPOSED})
                if not taken_care_of(each.finding, in_hand)]
    return max(proposed, key=ranks(workspace), default=None)


def generate(workspace: Workspace, improvement_id: str = "") -> Improvement | None:
    """Write the named improvement, or the next one that is due; None when nothing is.

    Raises Refused for a status that has nothing to write, NotFound for an unknown id, Locked.
    """
    release = workspace.live()
    improvement = workspace.store.improvement(improvement_id) if improvement_id else due(workspace, release)
    if improvement is None:
        return None
    moved = improvement.status in MOVABLE and improvement.base_commit != release.commit
    if not moved and improvement.status is not Status.PROPOSED:
        if improvement.status in IN_HAND:
            return improvement
        raise Refused(f"{improvement.id} is {improvement.status}: only a PROPOSED improvement can be written")
    with held(workspace.store, f"improvement {improvement.id}", "writing it"):
        improvement = workspace.store.improvement(improvement.id)
        workspace.progress(f"{'carrying over' if moved else 'writing'} {improvement.id}")
        return _carry_over(workspace, improvement, release) if moved else _write(workspace, improvement, release)


def _write(workspace: Workspace, improvement: Improvement, release: Release) -> Improvement:
    tree = workspace.work(improvement.id) / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    workspace.repository.export(release.commit, tree)
    before = read_tree(tree)
    author = AUTHORS.get(workspace.config.author)
    if author is None:
        raise NotFound(f"no author is named {workspace.config.author!r}: known are {', '.join(AUTHORS)}")
    rejected = workspace.store.improvements({Status.REJECTED})
    refused = refused_approaches(improvement.finding, rejected, time.time())
    written = author.write(improvement.finding, tree, workspace.config, refused)
    files = _changed(before, tree)
    shutil.rmtree(tree, ignore_errors=True)
    if isinstance(written, Declined):
        return _save(workspace, improvement, Status.NEEDS_AUTHOR, written.reason, base_commit=release.commit)
    if not files:
        return _save(workspace, improvement, Status.FAILED, "the author changed nothing")
    return _commit(workspace, improvement, release, files, written.claim, written.approach or author.name)


def _carry_over(workspace: Workspace, improvement: Improvement, release: Release) -> Improvement:
    """The same change on top of what is live now; evidence and approval do not carry over."""
    change = carried(workspace.repository, improvement.base_commit, improvement.commit, release.commit)
    if change.conflict:
        return _save(workspace, improvement, Status.SUPERSEDED,
                     f"live changed {change.conflict} in another way meanwhile")
    if not change.files:
        return _save(workspace, improvement, Status.SUPERSEDED, "live has this change already")
    return _commit(workspace, improvement, release, change.files, improvement.claim, improvement.approach)


def _changed(before: dict[str, bytes], tree: Path) -> dict[str, bytes | None]:
    after = read_tree(tree)
    links = [path for path, content in after.items() if content.startswith(LINK) and before.get(path) != content]
    if links:
        raise Refused(f"the author made a symbolic link: {links[0]}")
    changed: dict[str, bytes | None] = {path: content for path, content in after.items() if before.get(path) != content}
    return changed | {path: None for path in before if path not in after}


def _commit(workspace: Workspace, improvement: Improvement, release: Release, files: Mapping[str, bytes | None],
            claim: str, approach: str) -> Improvement:
    repository = workspace.repository
    commit = repository.commit_files(release.commit, files, _message(improvement.finding, improvement.id))
    repository.set_branch(CANDIDATES + improvement.id, commit)
    return _save(workspace, improvement, Status.GENERATED, f"written as {commit[:12]}", commit=commit, claim=claim,
                 base_commit=release.commit, branch=CANDIDATES + improvement.id, author=workspace.config.author,
                 approach=approach, patch=repository.diff(release.commit, commit), evidence=None, digest="",
                 approval=None, release="", artifact="", attempts=0, asked=0.0)


def _message(finding: Finding, improvement_id: str) -> str:
    return f"{finding.title}\n\n{finding.summary}\n\nImprovement: {improvement_id}\nFound-by: {finding.detector}\n"


def _save(workspace: Workspace, improvement: Improvement, status: Status, message: str,
          **changes: object) -> Improvement:
    after = improvement.advance(status, reason=message, **changes)
    return workspace.store.save(improvement, after, workspace.performer, message)
