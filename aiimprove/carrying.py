"""A change carried over to another commit: file by file, with a three-way merge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiimprove.repository import Repository


@dataclass(frozen=True)
class Carried:
    """What the files of a change hold on top of the other commit (None: gone); nothing when it is there already.
    `conflict` names the file that both changed in different ways."""

    files: Mapping[str, bytes | None] = field(default_factory=dict)
    conflict: str = ""


def carried(repository: Repository, base: str, commit: str, onto: str) -> Carried:
    """The change from `base` to `commit`, on top of `onto`."""
    files: dict[str, bytes | None] = {}
    for change in repository.changed(base, commit):
        was, ours, theirs = (repository.read(each, change.path) for each in (base, onto, commit))
        if ours == was:
            files[change.path] = theirs
        elif ours != theirs:
            merged = None if None in (was, ours, theirs) else repository.merge_file(was or b"", ours or b"",
                                                                                    theirs or b"")
            if merged is None:
                return Carried(conflict=change.path)
            files[change.path] = merged
    return Carried(files)
