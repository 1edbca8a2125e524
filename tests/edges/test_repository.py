"""Real git: plain trees come out, nothing of a hostile repository runs, and the user's own tree stays as it is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tiny import PERSON

from aiimprove.errors import NotFound, Refused, UsageError
from aiimprove.repository import Repository
from aiimprove.tree import Change, read_tree


class Git:
    """A repository that a person works in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self("init", "-q", "-b", "main")

    def __call__(self, *words: str, stdin: bytes = b"") -> str:
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder.parent), **PERSON}
        done = subprocess.run(["git", "-C", str(self.folder), *words], env=env, input=stdin, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().strip()

    def commit(self, **files: str) -> str:
        for path, text in files.items():
            file = self.folder / path.replace("__", "/").replace("_DOT_", ".")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self("add", "-A")
        self("commit", "-q", "--allow-empty", "-m", "change")
        return self("rev-parse", "HEAD")


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(tmp_path / "repository")


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file of a folder, git's own included, with its time of change."""
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()}


def test_names_of_commits(git: Git) -> None:
    first = git.commit(a="1")
    git("tag", "v1")
    git("tag", "-a", "v2", "-m", "annotated")
    repository = Repository(git.folder)
    assert {repository.resolve(ref) for ref in ("HEAD", "main", "v1", "v2", first, first[:8])} == {first}
    for ref in ("nowhere", "HEAD~5", "0" * 40, "", "HEAD:a", "a b", "main\n"):
        with pytest.raises(NotFound, match="no commit is named"):
            repository.resolve(ref)
    for ref in ("-h", "--help", "--upload-pack=touch x"):
        with pytest.raises(UsageError, match="is not a commit"):
            repository.resolve(ref)


def test_a_repository_without_a_commit_says_how_to_make_one(git: Git) -> None:
    with pytest.raises(Refused, match="no commit yet: 'git add -A && git commit"):
        Repository(git.folder).resolve("HEAD")


def test_a_folder_that_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a git repository: make it one with 'git init"):
        Repository(tmp_path)


def test_what_a_commit_holds(git: Git) -> None:
    commit = git.commit(a__b="one", c="two")
    (git.folder / "c").write_text("not committed")
    repository = Repository(git.folder)
    assert [entry.path for entry in repository.entries(commit)] == ["a/b", "c"]
    assert [entry.path for entry in repository.entries(commit, "a")] == ["a/b"]
    assert repository.entries(commit, "nowhere") == []
    assert repository.read(commit, "c") == b"two" and repository.read(commit, "x") is None
    assert repository.read(commit, "a") is None
    assert repository.tree(commit, "c") == git("rev-parse", f"{commit}:c")
    assert repository.tree(commit, ".") == repository.tree(commit) == git("rev-parse", f"{commit}^{{tree}}")
    assert repository.tree(commit, "x") == ""


@pytest.mark.parametrize("path", ["ünïcode", "with space", "tab\there", 'quo"te', "back\\slash", "-dash", "new\nline",
                                  ":(glob)*", "*.txt", ":/"])
def test_odd_names_are_plain_names(git: Git, tmp_path: Path, path: str) -> None:
    (git.folder / path).parent.mkdir(exist_ok=True)
    (git.folder / path.replace("/", "_")).write_text("odd")
    name = path.replace("/", "_")
    commit = git.commit(other="x")
    repository = Repository(git.folder)
    assert repository.read(commit, name) == b"odd" and name in [entry.path for entry in repository.entries(commit)]
    assert [entry.path for entry in repository.entries(commit, name)] == [name]
    repository.export(commit, tmp_path / "out", [name])
    assert read_tree(tmp_path / "out") == {name: b"odd"}
    assert [change.path for change in repository.changed(git("rev-parse", "HEAD"), repository.commit_files(
        commit, {name: b"other"}, "m"))] == [name]


def test_names_that_are_no_text(git: Git, tmp_path: Path) -> None:
    with open(os.fsencode(git.folder) + b"/\xff\xfe", "wb") as file:
        file.write(b"odd")
    commit = git.commit()
    repository = Repository(git.folder)
    repository.export(commit, tmp_path / "out")
    assert os.listdir(os.fsencode(tmp_path / "out")) == [b"\xff\xfe"]
    changed = repository.commit_files(commit, {os.fsdecode(b"\xff\xfe"): b"more"}, "m")
    assert git("cat-file", "blob", f"{changed}:" + os.fsdecode(b"\xff\xfe")) == "more"


def test_an_export_is_the_commit_and_no_git(git: Git, tmp_path: Path) -> None:
    (git.folder / "run.sh").write_text("#!/bin/sh\n")
    (git.folder / "run.sh").chmod(0o755)
    (git.folder / "link").symlink_to("a/b")
    (git.folder / ".gitignore").write_text("*.secret\n")
    (git.folder / "x.secret").write_text("s")
    commit = git.commit(a__b="one\r\n", empty="")
    (git.folder / "later").write_text("not committed")
    Repository(git.folder).export(commit, tmp_path / "out")
    assert set(read_tree(tmp_path / "out")) == {"run.sh", "link", ".gitignore", "a/b", "empty"}
    assert (tmp_path / "out/a/b").read_bytes() == b"one\r\n" and os.access(tmp_path / "out/run.sh", os.X_OK)
    assert os.readlink(tmp_path / "out/link") == "a/b"


def test_a_part_is_exported(git: Git, tmp_path: Path) -> None:
    commit = git.commit(a__b="1", a__c="2", d="3", ab="4")
    Repository(git.folder).export(commit, tmp_path / "out", ["a", "d"])
    assert set(read_tree(tmp_path / "out")) == {"a/b", "a/c", "d"}


@pytest.mark.parametrize("target", ["/etc/passwd", "..", "../outside", "a/../../outside"])
def test_links_that_leave_are_not_exported(git: Git, tmp_path: Path, target: str) -> None:
    (git.folder / "link").symlink_to(target)
    commit = git.commit(a__b="1")
    with pytest.raises(Refused, match="link is a link that leaves the repository"):
        Repository(git.folder).export(commit, tmp_path / "out")


def test_submodules_are_not_exported(git: Git, tmp_path: Path) -> None:
    first = git.commit(a="1")
    git("update-index", "--add", "--cacheinfo", f"160000,{first},sub")
    git("commit", "-q", "-m", "sub")
    with pytest.raises(Refused, match="sub is a submodule"):
        Repository(git.folder).export(git("rev-parse", "HEAD"), tmp_path / "out")


def test_a_tree_that_git_itself_would_not_make(git: Git, tmp_path: Path) -> None:
    git.commit(a="1")
    blob = bytes.fromhex(git("hash-object", "-w", "--stdin", stdin=b"bad"))
    inner = bytes.fromhex(git("hash-object", "-w", "-t", "tree", "--stdin", "--literally",
                              stdin=b"100644 outside\0" + blob))
    tree = git("hash-object", "-w", "-t", "tree", "--stdin", "--literally", stdin=b"40000 ..\0" + inner)
    commit = git("commit-tree", tree, "-m", "hostile")
    with pytest.raises(Refused):
        Repository(git.folder).export(commit, tmp_path / "deep" / "out")
    assert not (tmp_path / "deep" / "outside").exists()


# -- hostile repositories ---------------------------------------------------------------------------------------------

@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A program that leaves a mark whenever anybody starts it."""
    script = tmp_path / "trap.sh"
    script.write_text(f"#!/bin/sh\necho \"$0 $*\" >> {tmp_path}/sprung\ncat 2>/dev/null\nexit 0\n")
    script.chmod(0o755)
    return script


def set_traps(git: Git, trap: Path) -> None:
    """Everything by which a repository makes git start programs."""
    for name in ("core.fsmonitor", "core.editor", "core.pager", "core.sshCommand", "core.gitProxy", "diff.external",
                 "diff.bad.command", "diff.bad.textconv", "filter.bad.clean", "filter.bad.smudge", "merge.bad.driver",
                 "filter.bad.process", "gpg.program", "interactive.diffFilter", "uploadpack.packObjectsHook",
                 "credential.helper", "alias.ls-tree", "alias.rev-parse", "sequence.editor", "trailer.bad.command"):
        git("config", name, str(trap))
    for name, value in (("commit.gpgSign", "true"), ("filter.bad.required", "true"), ("merge.default", "bad"),
                        ("core.hooksPath", str(trap.parent / "hooks")), ("core.untrackedCache", "true"),
                        ("core.autocrlf", "true"), ("diff.bad.cachetextconv", "true"), ("gc.auto", "1"),
                        ("log.showSignature", "true"), ("core.attributesFile", str(trap.parent / "attributes"))):
        git("config", name, value)
    (trap.parent / "attributes").write_text("* filter=bad diff=bad merge=bad\n")
    for folder in (trap.parent / "hooks", git.folder / ".git" / "hooks"):
        folder.mkdir(exist_ok=True)
        for hook in ("pre-commit", "post-commit", "reference-transaction", "post-index-change", "post-checkout",
                     "fsmonitor-watchman", "post-rewrite", "update", "pre-auto-gc"):
            (folder / hook).unlink(missing_ok=True)
            (folder / hook).symlink_to(trap)
    (git.folder / ".git" / "info").mkdir(exist_ok=True)
    (git.folder / ".git" / "info" / "attributes").write_text("* filter=bad diff=bad merge=bad ident text eol=crlf\n")


def use_everything(git: Git, first: str, second: str, out: Path) -> None:
    repository = Repository(git.folder)
    repository.resolve("HEAD")
    repository.working_tree()
    repository.export(second, out)
    assert "+two" in repository.diff(first, second) and repository.changed(first, second)
    assert repository.subject(second) == "change" and repository.count_between(first, second) == 1
    made = repository.commit_files(second, {"a": b"three\n", "new": b"n\r\n"}, "ours\n")
    repository.set_branch("ai/x", made)
    repository.delete_branch("ai/x")
    repository.merge_file(b"1\n2\n3\n4\n", b"0\n2\n3\n4\n", b"1\n2\n3\n5\n")
    assert repository.is_ancestor(first, second) and not repository.is_ancestor(second, first)
    assert repository.read(made, "new") == b"n\r\n"


def test_nothing_of_a_hostile_repository_runs(git: Git, trap: Path, tmp_path: Path) -> None:
    first, second = git.commit(a="one\n"), git.commit(a="two\n", _DOT_gitattributes="* filter=bad diff=bad merge=bad\n")
    set_traps(git, trap)
    (git.folder / "a").write_text("dirty\n")
    os.utime(git.folder / "a", (1, 1))
    use_everything(git, first, second, tmp_path / "out")
    assert not (tmp_path / "sprung").exists(), (tmp_path / "sprung").read_text()
    assert (tmp_path / "out" / "a").read_bytes() == b"two\n"


def test_the_traps_do_spring_for_ordinary_git(git: Git, trap: Path, tmp_path: Path) -> None:
    git.commit(a="one\n")
    set_traps(git, trap)
    (git.folder / "a").write_text("dirty\n")
    git("status")
    assert (tmp_path / "sprung").exists()


def test_a_hostile_git_environment_does_not_matter(git: Git, trap: Path, tmp_path: Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = git.commit(a="one\n"), git.commit(a="two\n")
    (git.folder / "a").write_text("dirty\n")
    for name, value in (("GIT_EXTERNAL_DIFF", str(trap)), ("GIT_PAGER", str(trap)), ("GIT_CONFIG_COUNT", "1"),
                        ("GIT_CONFIG_KEY_0", "core.fsmonitor"), ("GIT_CONFIG_VALUE_0", str(trap)),
                        ("GIT_INDEX_FILE", str(tmp_path / "no-index")), ("GIT_DIR", str(tmp_path / "no-git"))):
        monkeypatch.setenv(name, value)
    use_everything(git, first, second, tmp_path / "out")
    assert not (tmp_path / "sprung").exists(), (tmp_path / "sprung").read_text()


def test_a_nested_repository_in_the_tree_is_not_entered(git: Git, trap: Path, tmp_path: Path) -> None:
    first = git.commit(a="one\n")
    inner = Git(git.folder / "inner")
    inner.commit(b="1")
    set_traps(inner, trap)
    repository = Repository(git.folder)
    assert repository.working_tree().uncommitted == ("inner/",)
    repository.export(first, tmp_path / "out")
    assert not (tmp_path / "sprung").exists()


def test_a_commit_is_never_replaced_by_another(git: Git, tmp_path: Path) -> None:
    first, second = git.commit(a="one\n"), git.commit(a="two\n")
    git("replace", "-f", first, second)
    assert git("cat-file", "blob", f"{first}:a") == "two"
    Repository(git.folder).export(first, tmp_path / "out")
    assert (tmp_path / "out" / "a").read_text() == "one\n"


# -- the user's own tree ----------------------------------------------------------------------------------------------

def test_the_users_tree_index_and_branch_stay(git: Git, tmp_path: Path) -> None:
    first, second = git.commit(a="one\n"), git.commit(a="two\n")
    (git.folder / "a").write_text("dirty\n")
    (git.folder / "staged").write_text("s")
    git("add", "staged")
    (git.folder / "untracked").write_text("u")

    def outside_objects() -> dict[str, tuple[bytes, int]]:
        return {path: seen for path, seen in snapshot(git.folder).items()
                if not path.startswith((".git/objects/", ".git/refs/heads/ai", ".git/logs/refs/heads/ai"))}

    before = outside_objects()
    use_everything(git, first, second, tmp_path / "out")
    assert outside_objects() == before
    assert git("rev-parse", "HEAD") == second and git("stash", "list") == ""


def test_what_is_not_committed_is_named(git: Git) -> None:
    git.commit(a="1", b="2", gone="3")
    repository = Repository(git.folder)
    assert repository.working_tree().uncommitted == ()
    (git.folder / "a").write_text("dirty")
    (git.folder / "gone").unlink()
    (git.folder / "néw file").write_text("x")
    git("mv", "b", "c")
    tree = repository.working_tree()
    assert set(tree.uncommitted) == {"a", "gone", "néw file", "b", "c"} and tree.branch == "main"
    git("checkout", "-q", "--detach", "-f")
    assert repository.working_tree().branch == ""


def test_a_linked_worktree_is_a_repository_too(git: Git, tmp_path: Path) -> None:
    first = git.commit(a="1")
    git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    repository = Repository(tmp_path / "side")
    assert repository.resolve("HEAD") == first and repository.working_tree().branch == "side"
    made = repository.commit_files(first, {"b": b"2"}, "m")
    repository.set_branch("ai/x", made)
    assert git("rev-parse", "ai/x") == made


def test_a_repository_of_another_user_is_read_all_the_same(git: Git) -> None:
    commit = git.commit(a="1")
    if os.getuid() == 0:
        for path in [git.folder, *git.folder.rglob("*")]:
            os.chown(path, 12345, 12345, follow_symlinks=False)
    assert Repository(git.folder).resolve("HEAD") == commit


# -- writing ----------------------------------------------------------------------------------------------------------

def test_a_commit_of_files(git: Git) -> None:
    (git.folder / "run.sh").write_text("#!/bin/sh\n")
    (git.folder / "run.sh").chmod(0o755)
    base = git.commit(a="1", b__c="2", gone="3")
    repository = Repository(git.folder)
    made = repository.commit_files(base, {"a": b"one", "gone": None, "new/deep/file": b"\0\xff\r\n", "run.sh": b"#!x"},
                                   "A title\n\nWords.\n")
    assert git("rev-parse", f"{made}^") == base and git("rev-parse", "HEAD") == base
    assert git("log", "-1", "--format=%an|%s|%b", made).strip() == "aiimprove|A title|Words."
    assert {entry.path: entry.mode for entry in repository.entries(made)} == {
        "a": "100644", "b/c": "100644", "new/deep/file": "100644", "run.sh": "100755"}
    assert repository.read(made, "new/deep/file") == b"\0\xff\r\n"


def test_the_same_files_make_the_same_tree(git: Git) -> None:
    base = git.commit(a="1")
    repository = Repository(git.folder)
    assert repository.tree(repository.commit_files(base, {"a": b"1"}, "m")) == repository.tree(base)


@pytest.mark.parametrize("path", ["../out", ".git/hooks/x", "a/../../x", "/etc/x"])
def test_paths_outside_the_tree_are_not_committed(git: Git, path: str) -> None:
    base = git.commit(a="1")
    with pytest.raises(Refused):
        Repository(git.folder).commit_files(base, {path: b"bad"}, "m")


@pytest.mark.parametrize("branch", ["main", "aiimprove", "aiimprove/live2", "refs/heads/main", "HEAD", "ai"])
def test_only_our_branches_are_written(git: Git, branch: str) -> None:
    commit = git.commit(a="1")
    with pytest.raises(Refused, match="never writes the branch"):
        Repository(git.folder).set_branch(branch, commit)


def test_our_branches(git: Git) -> None:
    first, second = git.commit(a="1"), git.commit(a="2")
    repository = Repository(git.folder)
    for branch in ("ai/x", "aiimprove/live"):
        repository.set_branch(branch, first)
        repository.set_branch(branch, second)
        assert git("rev-parse", branch) == second
    repository.delete_branch("ai/x")
    repository.delete_branch("main")
    assert set(git("branch", "--format=%(refname:short)").split()) == {"main", "aiimprove/live"}


@pytest.mark.parametrize("branch", ["ai/../main", "ai/x y", "ai/x.lock", "ai//x"])
def test_branches_cannot_be_led_astray(git: Git, branch: str) -> None:
    first, second = git.commit(a="1"), git.commit(a="2")
    with pytest.raises(Refused):
        Repository(git.folder).set_branch(branch, first)
    assert git("rev-parse", "main") == second


def test_a_branch_in_the_way_is_named(git: Git) -> None:
    commit = git.commit(a="1")
    git("branch", "ai")
    with pytest.raises(Refused, match="the branch ai/x cannot be written"):
        Repository(git.folder).set_branch("ai/x", commit)


def test_what_changed(git: Git) -> None:
    (git.folder / "kind").write_text("k")
    first = git.commit(a="1\n2\n", run="x\n", gone="1\n2\n3\n", moved="m\nm\nm\n")
    (git.folder / "gone").unlink()
    (git.folder / "moved").rename(git.folder / "moved2")
    (git.folder / "run").chmod(0o755)
    (git.folder / "kind").unlink()
    (git.folder / "kind").symlink_to("a")
    (git.folder / "picture").write_bytes(b"\0\1\2")
    second = git.commit(a="1\nzwei\ndrei\n")
    assert Repository(git.folder).changed(first, second) == [
        Change("a", "M", 2, 1, False, "100644", "100644"), Change("gone", "D", 0, 3, False, "100644", "000000"),
        Change("kind", "T", 1, 1, False, "100644", "120000"), Change("moved", "D", 0, 3, False, "100644", "000000"),
        Change("moved2", "A", 3, 0, False, "000000", "100644"),
        Change("picture", "A", 0, 0, True, "000000", "100644"), Change("run", "M", 0, 0, False, "100644", "100755")]


def test_a_diff_applies(git: Git, tmp_path: Path) -> None:
    first = git.commit(a="1\n2\n3\n")
    second = git.commit(a="1\nzwei\n3\n", b="new\n")
    diff = Repository(git.folder).diff(first, second)
    git("reset", "-q", "--hard", first)
    git("apply", "-", stdin=diff.encode())
    assert (git.folder / "a").read_text() == "1\nzwei\n3\n" and (git.folder / "b").read_text() == "new\n"


def test_merges_of_one_file(git: Git) -> None:
    git.commit(a="1")
    merge = Repository(git.folder).merge_file
    base = b"1\n2\n3\n4\n5\n6\n7\n"
    assert merge(base, b"eins\n2\n3\n4\n5\n6\n7\n", b"1\n2\n3\n4\n5\n6\nsieben\n") == b"eins\n2\n3\n4\n5\n6\nsieben\n"
    assert merge(base, base.replace(b"4", b"four"), base.replace(b"4", b"vier")) is None
    assert merge(base, base, b"") == b"" and merge(b"\0a", b"\0b", b"\0c") is None


def test_history(git: Git) -> None:
    first, second = git.commit(a="1"), git.commit(a="2")
    repository = Repository(git.folder)
    assert repository.is_ancestor(first, second) and repository.is_ancestor(first, first)
    assert not repository.is_ancestor(second, first) and not repository.is_ancestor("0" * 40, first)
    assert repository.count_between(first, second) == 1 and repository.count_between(second, first) == 0
    assert repository.subject(second) == "change"
