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
from aiimprove.tree import Change, Entry, WorkingTree, clean_path, parts_of, read_changes, read_entries, write_entry

LIVE_BRANCH = "aiimprove/live"
CANDIDATES = "ai/"
_HARDENED = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false",
             "-c", "core.autocrlf=false", "-c", "gc.auto=0", "-c", "commit.gpgSign=false", "--literal-pathspecs")
_NOT_INHERITED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
                  "GIT_NAMESPACE", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS",
                  "GIT_CONFIG", "GIT_REPLACE_REF_BASE", "GIT_GRAFT_FILE", "GIT_SHALLOW_FILE", "GIT_PREFIX",
                  "GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_GLOB_PATHSPECS", "GIT_ICASE_PATHSPECS", "GIT_ATTR_SOURCE")
"""What a git hook, or a hostile parent, would have our git look at instead of the repository."""
_QUIET_ENV = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1",
              "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_REPLACE_OBJECTS": "1", "LC_ALL": "C"}
_PERSON = {"GIT_AUTHOR_NAME": "aiimprove", "GIT_AUTHOR_EMAIL": "aiimprove@localhost",
           "GIT_COMMITTER_NAME": "aiimprove", "GIT_COMMITTER_EMAIL": "aiimprove@localhost"}
_NONE = "0" * 40


class Repository:
    """A git repository at `folder` (its top level)."""

    def __init__(self, folder: Path, scratch: Path | None = None) -> None:
        """`scratch` holds the temporary files, away from programs that may write to the system's; it need not exist."""
        try:
            from git import InvalidGitRepositoryError, NoSuchPathError, Repo
            from git.exc import GitCommandNotFound
        except ImportError:  # what GitPython says when it finds no git
            raise UsageError("git is not installed, or not in the PATH: aiimprove needs it") from None
        try:
            with Repo(folder, expand_vars=False) as found:
                self._git_dir, self._common_dir = Path(found.git_dir), Path(found.common_dir)
        except (InvalidGitRepositoryError, NoSuchPathError):
            raise UsageError(f"{folder} is not a git repository: make it one with "
                             "'git init && git add -A && git commit -m first'") from None
        except GitCommandNotFound:
            raise UsageError("git is not installed: aiimprove needs it") from None
        self.folder = folder
        self._scratch = scratch
        if scratch is not None:
            scratch.mkdir(parents=True, exist_ok=True, mode=0o700)

    # -- reading ------------------------------------------------------------------------------------------------

    def resolve(self, ref: str) -> str:
        """The full id of the commit that `ref` names; NotFound when there is none."""
        if ref.startswith("-"):
            raise UsageError(f"{ref!r} is not a commit")
        try:
            return self._text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").strip()
        except _GitFailed:
            if ref != "HEAD":
                raise NotFound(f"no commit is named {ref!r}") from None
            raise Refused("the commit of HEAD cannot be read, the repository is damaged: 'git fsck' says how"
                          if self._points_somewhere() else
                          "the repository has no commit yet: 'git add -A && git commit -m first' makes one") from None

    def _points_somewhere(self) -> bool:
        try:
            return bool(self._text("rev-parse", "--verify", "--quiet", "HEAD").strip())
        except _GitFailed:
            return False

    def tree(self, commit: str, path: str = "") -> str:
        """The object id of a path in a commit; empty when the path is not there."""
        spec = f"{commit}:{clean_path(path)}" if clean_path(path) else f"{commit}^{{tree}}"
        try:
            return self._text("rev-parse", "--verify", "--quiet", spec).strip()
        except _GitFailed:
            return ""

    def read(self, commit: str, path: str) -> bytes | None:
        """The bytes of a file in a commit, or None."""
        found = self.tree(commit, path)
        if not found:
            return None
        try:
            return self._bytes("cat-file", "blob", found)
        except _GitFailed:
            return None

    def entries(self, commit: str, path: str = "") -> list[Entry]:
        """Every path below `path` in a commit, recursively, in git's order."""
        wanted = clean_path(path)
        listing = self._text("ls-tree", "-r", "-z", "--full-tree", commit, *(["--", wanted] if wanted else []))
        return read_entries(listing)

    def diff(self, base: str, commit: str) -> str:
        """The unified diff between two commits, made without any program that the repository names."""
        return self._text("diff-tree", "-p", "-M", "--no-ext-diff", "--no-textconv", "--no-color", base, commit)

    def changed(self, base: str, commit: str) -> list[Change]:
        """Every path that differs between two commits (renames are a D and an A)."""
        counts = self._text("diff-tree", "-r", "-z", "--numstat", "--no-renames", base, commit)
        return read_changes(self._text("diff-tree", "-r", "-z", "--no-renames", base, commit), counts)

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether everything in `older` is part of `newer`'s history."""
        try:
            self._text("merge-base", "--is-ancestor", older, newer)
        except _GitFailed:
            return False
        return True

    def count_between(self, older: str, newer: str) -> int:
        """How many commits `newer` has that `older` lacks."""
        return int(self._text("rev-list", "--count", f"{older}..{newer}").strip())

    def subject(self, commit: str) -> str:
        return self._text("log", "-1", "--format=%s", commit).strip()

    def working_tree(self) -> WorkingTree:
        """Branch, HEAD and uncommitted files of the user's own tree; nothing is written, not even the index."""
        head = self.resolve("HEAD")
        try:
            branch = self._text("symbolic-ref", "--quiet", "--short", "HEAD").strip()
        except _GitFailed:
            branch = ""
        return WorkingTree(branch, head, tuple(row[3:] for row in self._status(head).split("\0") if row))

    def _status(self, head: str) -> str:
        """`git status`, asked of a bare copy without the repository's config: what filters and the like that names
        would be started for every changed file."""
        with tempfile.TemporaryDirectory(dir=self._scratch) as scratch:
            bare = Path(scratch)
            (bare / "objects" / "info").mkdir(parents=True)
            (bare / "refs").mkdir()
            (bare / "HEAD").write_text(f"{head}\n")
            (bare / "objects" / "info" / "alternates").write_bytes(os.fsencode(self._common_dir / "objects") + b"\n")
            for part in self._git_dir.glob("sharedindex.*"):
                (bare / part.name).symlink_to(part)
            answer = self._bytes("-c", f"core.excludesFile={self._common_dir / 'info' / 'exclude'}",
                                 "--work-tree", str(self.folder), "status", "--porcelain", "-z", "--no-renames",
                                 "--ignore-submodules=all", git_dir=bare,
                                 env={"GIT_INDEX_FILE": str(self._git_dir / "index")})
        return answer.decode("utf-8", "surrogateescape")

    def export(self, commit: str, destination: Path, paths: Sequence[str] = ()) -> None:
        """Write the files of a commit (or of some of its paths) below `destination`, plain and without `.git`.

        Refused: gitlinks (submodules), and symbolic links that leave the tree.
        """
        entries = [entry for path in (paths or [""]) for entry in self.entries(commit, path)]
        for entry, content in zip(entries, self._blobs(entries), strict=True):
            write_entry(destination, entry, content)

    # -- writing ------------------------------------------------------------------------------------------------

    def commit_files(self, base: str, files: Mapping[str, bytes | None], message: str) -> str:
        """A commit on top of `base` in which the named files hold the given bytes (None: gone). No ref moves."""
        with tempfile.TemporaryDirectory(dir=self._scratch) as scratch:
            env = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            self._text("read-tree", base, env=env)
            modes = {entry.path: entry.mode for entry in self.entries(base)}
            rows = [self._index_row(path, content, modes) for path, content in sorted(files.items())]
            self._bytes("update-index", "-z", "--index-info", stdin=os.fsencode("".join(rows)), env=env)
            tree = self._text("write-tree", env=env).strip()
        return self._text("commit-tree", tree, "-p", base, stdin=message.encode(), env=_PERSON).strip()

    def set_branch(self, branch: str, commit: str) -> None:
        """Point one of our branches at a commit."""
        if not (branch == LIVE_BRANCH or branch.startswith(CANDIDATES)):
            raise Refused(f"aiimprove never writes the branch {branch}")
        try:
            self._text("update-ref", f"refs/heads/{branch}", commit)
        except _GitFailed as failed:
            raise Refused(f"the branch {branch} cannot be written: {str(failed).splitlines()[0]}") from None

    def must_have_room(self) -> None:
        """Raises Refused when a branch of the user's is named as a folder of ours must be."""
        for folder in (Path(LIVE_BRANCH).parent.as_posix(), CANDIDATES.rstrip("/")):
            if self._text("for-each-ref", "--count=1", "--format=%(refname)", f"refs/heads/{folder}").strip() \
                    == f"refs/heads/{folder}":
                raise Refused(f"the branch {folder} is in the way of our branches {folder}/...: "
                              f"'git branch -m {folder} another-name' makes room")

    def delete_branch(self, branch: str) -> None:
        if branch.startswith(CANDIDATES):
            self._text("update-ref", "-d", f"refs/heads/{branch}")

    def merge_file(self, base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
        """A three-way merge of one file; None on a conflict."""
        with tempfile.TemporaryDirectory(dir=self._scratch) as scratch:
            names = [Path(scratch) / name for name in ("ours", "base", "theirs")]
            for name, content in zip(names, (ours, base, theirs), strict=True):
                name.write_bytes(content)
            try:
                return self._bytes("merge-file", "-p", "-q", *map(str, names))
            except _GitFailed:
                return None

    # -- git itself ---------------------------------------------------------------------------------------------

    def _index_row(self, path: str, content: bytes | None, modes: Mapping[str, str]) -> str:
        parts_of(path)
        if content is None:
            return f"0 {_NONE}\t{path}\0"
        written = self._text("hash-object", "-w", "--no-filters", "--stdin", stdin=content).strip()
        return f"{modes.get(path, '100644')} {written}\t{path}\0"

    def _blobs(self, entries: Sequence[Entry]) -> Iterator[bytes]:
        asked = "".join(f"{entry.object}\n" for entry in entries if entry.kind != "commit")
        answer = io.BytesIO(self._bytes("cat-file", "--batch", stdin=asked.encode()) if asked else b"")
        for entry in entries:
            if entry.kind == "commit":
                raise Refused(f"{entry.path} is a submodule: aiimprove cannot release those")
            size = int(answer.readline().split()[2])
            yield answer.read(size)
            answer.read(1)

    def _text(self, *words: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        return self._bytes(*words, stdin=stdin, env=env).decode("utf-8", "surrogateescape")

    def _bytes(self, *words: str, stdin: bytes = b"", env: Mapping[str, str] | None = None,
               git_dir: Path | None = None) -> bytes:
        from git import Git
        from git.exc import GitCommandError

        with tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            try:
                answer = Git(self._git_dir).execute(
                    [*_git(env or {}), "--git-dir", str(git_dir or self._git_dir), *_HARDENED, *words],
                    istream=given.fileno(), stdout_as_string=False, strip_newline_in_stdout=False)
            except GitCommandError as error:
                raise _GitFailed(str(error.stderr).strip()) from None
        return answer if isinstance(answer, bytes) else str(answer).encode()


def _git(env: Mapping[str, str]) -> list[str]:
    unset = (word for name in _NOT_INHERITED for word in ("-u", name))
    return ["env", *unset, *(f"{name}={value}" for name, value in {**_QUIET_ENV, **env}.items()), "git"]


class _GitFailed(Refused):
    """git said no; the caller knows what that means."""
