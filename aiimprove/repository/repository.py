"""The user's git repository, read and written by plumbing alone: no checkout, no index, no hooks, no filters.

The only refs that are ever written are `ai/<improvement>` and `aiimprove/live`. The working tree is only looked at.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from aiimprove.errors import NotFound, Refused, UsageError
from aiimprove.repository.plumbing import GitFailed, Plumbing
from aiimprove.tree import Change, Entry, WorkingTree, clean_path, parts_of, read_changes, read_entries, write_entry

LIVE_BRANCH = "aiimprove/live"
CANDIDATES = "ai/"
_PERSON = {"GIT_AUTHOR_NAME": "aiimprove", "GIT_AUTHOR_EMAIL": "aiimprove@localhost",
           "GIT_COMMITTER_NAME": "aiimprove", "GIT_COMMITTER_EMAIL": "aiimprove@localhost"}
_NONE = "0" * 40


class Repository(Plumbing):
    """A git repository at `folder` (its top level)."""

    # -- reading ------------------------------------------------------------------------------------------------

    def resolve(self, ref: str) -> str:
        """The full id of the commit that `ref` names; NotFound when there is none."""
        if ref.startswith("-"):
            raise UsageError(f"{ref!r} is not a commit")
        try:
            return self.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").strip()
        except GitFailed:
            if ref != "HEAD":
                raise NotFound(f"no commit is named {ref!r}") from None
            raise Refused("the commit of HEAD cannot be read, the repository is damaged: 'git fsck' says how"
                          if self._points_somewhere() else
                          "the repository has no commit yet: 'git add -A && git commit -m first' makes one") from None

    def _points_somewhere(self) -> bool:
        try:
            return bool(self.text("rev-parse", "--verify", "--quiet", "HEAD").strip())
        except GitFailed:
            return False

    def tree(self, commit: str, path: str = "") -> str:
        """The object id of a path in a commit; empty when the path is not there."""
        spec = f"{commit}:{clean_path(path)}" if clean_path(path) else f"{commit}^{{tree}}"
        try:
            return self.text("rev-parse", "--verify", "--quiet", spec).strip()
        except GitFailed:
            return ""

    def read(self, commit: str, path: str) -> bytes | None:
        """The bytes of a file in a commit, or None."""
        found = self.tree(commit, path)
        if not found:
            return None
        try:
            return self.raw("cat-file", "blob", found)
        except GitFailed:
            return None

    def entries(self, commit: str, path: str = "") -> list[Entry]:
        """Every path below `path` in a commit, recursively, in git's order."""
        wanted = clean_path(path)
        listing = self.text("ls-tree", "-r", "-z", "--full-tree", commit, *(["--", wanted] if wanted else []))
        return read_entries(listing)

    def diff(self, base: str, commit: str) -> str:
        """The unified diff between two commits, made without any program that the repository names."""
        return self.text("diff-tree", "-p", "-M", "--no-ext-diff", "--no-textconv", "--no-color", base, commit)

    def changed(self, base: str, commit: str) -> list[Change]:
        """Every path that differs between two commits (renames are a D and an A)."""
        counts = self.text("diff-tree", "-r", "-z", "--numstat", "--no-renames", base, commit)
        return read_changes(self.text("diff-tree", "-r", "-z", "--no-renames", base, commit), counts)

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether everything in `older` is part of `newer`'s history."""
        try:
            self.text("merge-base", "--is-ancestor", older, newer)
        except GitFailed:
            return False
        return True

    def count_between(self, older: str, newer: str) -> int:
        """How many commits `newer` has that `older` lacks."""
        return int(self.text("rev-list", "--count", f"{older}..{newer}").strip())

    def subject(self, commit: str) -> str:
        return self.text("log", "-1", "--format=%s", commit).strip()

    def working_tree(self) -> WorkingTree:
        """Branch, HEAD and uncommitted files of the user's own tree; nothing is written, not even the index."""
        head = self.resolve("HEAD")
        try:
            branch = self.text("symbolic-ref", "--quiet", "--short", "HEAD").strip()
        except GitFailed:
            branch = ""
        return WorkingTree(branch, head, tuple(row[3:] for row in self._status(head).split("\0") if row))

    def _status(self, head: str) -> str:
        """`git status`, asked of a bare copy without the repository's config: what filters and the like that names
        would be started for every changed file."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as scratch:
            bare = Path(scratch)
            (bare / "objects" / "info").mkdir(parents=True)
            (bare / "refs").mkdir()
            (bare / "HEAD").write_text(f"{head}\n")
            (bare / "objects" / "info" / "alternates").write_bytes(os.fsencode(self.common_dir / "objects") + b"\n")
            for part in self.git_dir.glob("sharedindex.*"):
                (bare / part.name).symlink_to(part)
            answer = self.raw("-c", f"core.excludesFile={self.common_dir / 'info' / 'exclude'}",
                                 "--work-tree", str(self.folder), "status", "--porcelain", "-z", "--no-renames",
                                 "--ignore-submodules=all", git_dir=bare,
                                 env={"GIT_INDEX_FILE": str(self.git_dir / "index")})
        return answer.decode("utf-8", "surrogateescape")

    def export(self, commit: str, destination: Path, paths: Sequence[str] = ()) -> None:
        """Write the files of a commit (or of some of its paths) below `destination`, plain and without `.git`.

        Refused: gitlinks (submodules), and symbolic links that leave the tree.
        """
        entries = [entry for path in (paths or [""]) for entry in self.entries(commit, path)]
        for entry, content in zip(entries, self._blobs(entries), strict=True):
            write_entry(destination, entry, content)

    def pack(self, base: str, commit: str) -> bytes:
        """Two commits and all between them as one pack, without the history before `base`."""
        return self.raw("pack-objects", "--revs", "--stdout", "-q", stdin=f"--shallow {base}\n{commit}\n".encode())

    # -- writing ------------------------------------------------------------------------------------------------

    @classmethod
    def unpacked(cls, folder: Path, pack: bytes, base: str) -> Repository:
        """A new repository that holds what `pack` made of commits from `base` on. Raises Refused when it is damaged."""
        from git import Repo

        Repo.init(folder, expand_vars=False).close()
        found = cls(folder)
        (found.common_dir / "shallow").write_text(f"{base}\n")
        found.raw("index-pack", "--stdin", stdin=pack)
        return found

    def commit_files(self, base: str, files: Mapping[str, bytes | None], message: str) -> str:
        """A commit on top of `base` in which the named files hold the given bytes (None: gone). No ref moves."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as scratch:
            env = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            self.text("read-tree", base, env=env)
            modes = {entry.path: entry.mode for entry in self.entries(base)}
            rows = [self._index_row(path, content, modes) for path, content in sorted(files.items())]
            self.raw("update-index", "-z", "--index-info", stdin=os.fsencode("".join(rows)), env=env)
            tree = self.text("write-tree", env=env).strip()
        return self.text("commit-tree", tree, "-p", base, stdin=message.encode(), env=_PERSON).strip()

    def set_branch(self, branch: str, commit: str) -> None:
        """Point one of our branches at a commit."""
        if not (branch == LIVE_BRANCH or branch.startswith(CANDIDATES)):
            raise Refused(f"aiimprove never writes the branch {branch}")
        try:
            self.text("update-ref", f"refs/heads/{branch}", commit)
        except GitFailed as failed:
            raise Refused(f"the branch {branch} cannot be written: {str(failed).splitlines()[0]}") from None

    def must_have_room(self) -> None:
        """Raises Refused when a branch of the user's is named as a folder of ours must be."""
        for folder in (Path(LIVE_BRANCH).parent.as_posix(), CANDIDATES.rstrip("/")):
            if self.text("for-each-ref", "--count=1", "--format=%(refname)", f"refs/heads/{folder}").strip() \
                    == f"refs/heads/{folder}":
                raise Refused(f"the branch {folder} is in the way of our branches {folder}/...: "
                              f"'git branch -m {folder} another-name' makes room")

    def delete_branch(self, branch: str) -> None:
        if branch.startswith(CANDIDATES):
            self.text("update-ref", "-d", f"refs/heads/{branch}")

    def merge_file(self, base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
        """A three-way merge of one file; None on a conflict."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as scratch:
            names = [Path(scratch) / name for name in ("ours", "base", "theirs")]
            for name, content in zip(names, (ours, base, theirs), strict=True):
                name.write_bytes(content)
            try:
                return self.raw("merge-file", "-p", "-q", *map(str, names))
            except GitFailed:
                return None

    def _index_row(self, path: str, content: bytes | None, modes: Mapping[str, str]) -> str:
        parts_of(path)
        if content is None:
            return f"0 {_NONE}\t{path}\0"
        written = self.text("hash-object", "-w", "--no-filters", "--stdin", stdin=content).strip()
        return f"{modes.get(path, '100644')} {written}\t{path}\0"

    def _blobs(self, entries: Sequence[Entry]) -> Iterator[bytes]:
        asked = "".join(f"{entry.object}\n" for entry in entries if entry.kind != "commit")
        answer = io.BytesIO(self.raw("cat-file", "--batch", stdin=asked.encode()) if asked else b"")
        for entry in entries:
            if entry.kind == "commit":
                raise Refused(f"{entry.path} is a submodule: aiimprove cannot release those")
            size = int(answer.readline().split()[2])
            yield answer.read(size)
            answer.read(1)
