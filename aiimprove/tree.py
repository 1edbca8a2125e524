"""Paths of a commit: what git prints about them, and how they are put on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aiimprove.errors import Refused


@dataclass(frozen=True)
class Entry:
    """One path of a commit. `kind` is blob, link (a symbolic link) or commit (a gitlink)."""

    path: str
    mode: str
    kind: str
    object: str


@dataclass(frozen=True)
class Change:
    """How one path differs between two commits; `status` is A, M, D or T, counts are lines."""

    path: str
    status: str
    added: int
    removed: int
    binary: bool
    mode_before: str
    mode_after: str


@dataclass(frozen=True)
class WorkingTree:
    """What the user has in hand: the branch ("" when detached), HEAD, and the files that differ from it."""

    branch: str
    head: str
    uncommitted: tuple[str, ...]


def clean_path(path: str) -> str:
    return "" if path in ("", ".") else str(PurePosixPath(path))


def parts_of(path: str) -> list[str]:
    """The parts of a file's path in a commit. Raises Refused for one that leaves the tree or is git's own."""
    parts = path.split("/")
    if any(part.lower() in ("", ".", "..", ".git") for part in parts):
        raise Refused(f"{path!r} is a path outside the tree: aiimprove neither writes nor releases it")
    return parts


def read_entries(listing: str) -> list[Entry]:
    """What `git ls-tree -r -z` printed."""
    return [_entry(row) for row in listing.split("\0") if row]


def _entry(row: str) -> Entry:
    head, path = row.split("\t", 1)
    mode, kind, found = head.split()
    return Entry(path, mode, "link" if mode == "120000" else kind, found)


def read_changes(raw: str, numbers: str) -> list[Change]:
    """What `git diff-tree -r -z` printed, raw and with --numstat."""
    counts, rows = dict(_counts(numbers)), raw.split("\0")
    return [_change(head, path, counts) for head, path in zip(rows[::2], rows[1::2], strict=False) if head]


def _counts(listing: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for row in filter(None, listing.split("\0")):
        added, removed, path = row.split("\t", 2)
        yield path, (added, removed)


def _change(head: str, path: str, counts: Mapping[str, tuple[str, str]]) -> Change:
    before, after, _, _, status = head.lstrip(":").split()
    added, removed = counts.get(path, ("0", "0"))
    binary = added == "-"
    return Change(path, status[0], 0 if binary else int(added), 0 if binary else int(removed), binary, before, after)


def write_entry(destination: Path, entry: Entry, content: bytes) -> None:
    """Put one path of a commit on disk; refused when it leaves the tree, or is a link that does."""
    parts = parts_of(entry.path)
    target = destination / entry.path
    target.parent.mkdir(parents=True, exist_ok=True)
    if any((destination / Path(*parts[:depth])).is_symlink() for depth in range(1, len(parts))):
        raise Refused(f"{entry.path} stands below a link: aiimprove cannot release it")
    if entry.kind == "link":
        _link(target, entry.path, content)
        return
    target.write_bytes(content)
    target.chmod(0o755 if entry.mode == "100755" else 0o644)


def _link(target: Path, path: str, content: bytes) -> None:
    points_to = os.fsdecode(content)
    landing = os.path.normpath(os.path.join(os.path.dirname(path), points_to))
    if os.path.isabs(points_to) or landing.split("/")[0] == "..":
        raise Refused(f"{path} is a link that leaves the repository: aiimprove cannot release it")
    target.symlink_to(points_to)



LINK = b"\0link to "
"""What `read_tree` gives for a symbolic link, in front of where it points; no file of text starts so."""


def read_tree(folder: Path) -> dict[str, bytes]:
    """The content of every file below a folder by its path; links are named, never followed."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in [*files, *(each for each in folders if os.path.islink(os.path.join(parent, each)))]:
            path = os.path.join(parent, name)
            key = os.path.relpath(path, folder)
            found[key] = LINK + os.fsencode(os.readlink(path)) if os.path.islink(path) else Path(path).read_bytes()
    return found
