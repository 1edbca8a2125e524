"""git itself, run with a hardened configuration and nothing of our own environment."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from aiimprove.errors import Refused, UsageError

_HARDENED = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false",
             "-c", "core.autocrlf=false", "-c", "gc.auto=0", "-c", "commit.gpgSign=false", "--literal-pathspecs")
_NOT_INHERITED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
                  "GIT_NAMESPACE", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS",
                  "GIT_CONFIG", "GIT_REPLACE_REF_BASE", "GIT_GRAFT_FILE", "GIT_SHALLOW_FILE", "GIT_PREFIX",
                  "GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_GLOB_PATHSPECS", "GIT_ICASE_PATHSPECS", "GIT_ATTR_SOURCE")
"""What a git hook, or a hostile parent, would have our git look at instead of the repository."""
_QUIET_ENV = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1",
              "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_REPLACE_OBJECTS": "1", "LC_ALL": "C"}


class Plumbing:
    """The git directory of the repository at `folder` (its top level), and how git is called on it."""

    def __init__(self, folder: Path, scratch: Path | None = None) -> None:
        """`scratch` holds the temporary files, away from programs that may write to the system's; it need not exist."""
        try:
            from git import InvalidGitRepositoryError, NoSuchPathError, Repo
            from git.exc import GitCommandNotFound
        except ImportError:  # what GitPython says when it finds no git
            raise UsageError("git is not installed, or not in the PATH: aiimprove needs it") from None
        try:
            with Repo(folder, expand_vars=False) as found:
                self.git_dir, self.common_dir = Path(found.git_dir), Path(found.common_dir)
        except (InvalidGitRepositoryError, NoSuchPathError):
            raise UsageError(f"{folder} is not a git repository: make it one with "
                             "'git init && git add -A && git commit -m first'") from None
        except GitCommandNotFound:
            raise UsageError("git is not installed: aiimprove needs it") from None
        self.folder = folder
        self.scratch = scratch
        if scratch is not None:
            scratch.mkdir(parents=True, exist_ok=True, mode=0o700)

    def text(self, *words: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        return self.raw(*words, stdin=stdin, env=env).decode("utf-8", "surrogateescape")

    def raw(self, *words: str, stdin: bytes = b"", env: Mapping[str, str] | None = None,
            git_dir: Path | None = None) -> bytes:
        from git import Git
        from git.exc import GitCommandError

        with tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            try:
                answer = Git(self.git_dir).execute(
                    [*_git(env or {}), "--git-dir", str(git_dir or self.git_dir), *_HARDENED, *words],
                    istream=given.fileno(), stdout_as_string=False, strip_newline_in_stdout=False)
            except GitCommandError as error:
                raise GitFailed(str(error.stderr).strip()) from None
        return answer if isinstance(answer, bytes) else str(answer).encode()


def _git(env: Mapping[str, str]) -> list[str]:
    unset = (word for name in _NOT_INHERITED for word in ("-u", name))
    return ["env", *unset, *(f"{name}={value}" for name, value in {**_QUIET_ENV, **env}.items()), "git"]


class GitFailed(Refused):
    """git said no; the caller knows what that means."""
