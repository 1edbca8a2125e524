"""Paths of a commit: read as git prints them, written without ever leaving the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiimprove.errors import Refused
from aiimprove.tree import LINK, Change, Entry, clean_path, read_changes, read_entries, read_tree, write_entry

ID = "1" * 40


def test_entries() -> None:
    listing = "\0".join([f"100644 blob {ID}\ta b/c\td", f"120000 blob {ID}\tlink", f"160000 commit {ID}\tsub",
                         f"100755 blob {ID}\tx\n", ""])
    assert read_entries(listing) == [Entry("a b/c\td", "100644", "blob", ID), Entry("link", "120000", "link", ID),
                                     Entry("sub", "160000", "commit", ID), Entry("x\n", "100755", "blob", ID)]
    assert read_entries("") == []


def test_changes() -> None:
    raw = (f":100644 100755 {ID} {ID} M\0run.sh\0:000000 100644 {ID} {ID} A\0new\tfile\0"
           f":100644 000000 {ID} {ID} D\0old\0:100644 120000 {ID} {ID} T\0kind\0:100644 100644 {ID} {ID} M\0pic.png\0")
    numbers = "1\t2\trun.sh\0" + "5\t0\tnew\tfile\0" + "0\t7\told\0" + "1\t1\tkind\0" + "-\t-\tpic.png\0"
    assert read_changes(raw, numbers) == [
        Change("run.sh", "M", 1, 2, False, "100644", "100755"),
        Change("new\tfile", "A", 5, 0, False, "000000", "100644"),
        Change("old", "D", 0, 7, False, "100644", "000000"), Change("kind", "T", 1, 1, False, "100644", "120000"),
        Change("pic.png", "M", 0, 0, True, "100644", "100644")]
    assert read_changes("", "") == []


@pytest.mark.parametrize(("path", "clean"), [("", ""), (".", ""), ("a/", "a"), ("./a/b", "a/b"), ("a//b", "a/b")])
def test_clean_path(path: str, clean: str) -> None:
    assert clean_path(path) == clean


def entry(path: str, mode: str = "100644") -> Entry:
    return Entry(path, mode, "link" if mode == "120000" else "blob", ID)


def test_files_are_written(tmp_path: Path) -> None:
    write_entry(tmp_path, entry("a/b.sh", "100755"), b"#!/bin/sh\n")
    write_entry(tmp_path, entry("a/c.txt"), b"\0\xff")
    write_entry(tmp_path, entry("a/link", "120000"), b"../a/c.txt")
    assert (tmp_path / "a/b.sh").stat().st_mode & 0o777 == 0o755 and (tmp_path / "a/c.txt").read_bytes() == b"\0\xff"
    assert (tmp_path / "a/c.txt").stat().st_mode & 0o777 == 0o644 and (tmp_path / "a/link").read_bytes() == b"\0\xff"


@pytest.mark.parametrize(("path", "target"), [
    ("link", b"/etc/passwd"), ("link", b".."), ("link", b"../x"), ("a/link", b"../../x"), ("a/link", b"b/../../../x"),
    ("a/link", b"./../.."), ("link", b"a/../..")])
def test_links_that_leave_are_refused(tmp_path: Path, path: str, target: bytes) -> None:
    with pytest.raises(Refused, match="leaves the repository"):
        write_entry(tmp_path / "tree", entry(path, "120000"), target)
    assert not (tmp_path / "tree" / path).is_symlink()


@pytest.mark.parametrize("target", [b".git/config", b"sub/.git"])
def test_a_link_inside_may_point_anywhere(tmp_path: Path, target: bytes) -> None:
    write_entry(tmp_path, entry("link", "120000"), target)
    assert (tmp_path / "link").is_symlink()


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    """A commit of a hostile hand may hold a link and a path below it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to(outside)
    with pytest.raises(Refused):
        write_entry(tree, entry("link/file"), b"bad")
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("path", ["../file", "a/../../file", "/tmp/aiimprove-outside", "a//b", ".git/x", "a/.GIT/x"])
def test_paths_that_leave_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(Refused):
        write_entry(tmp_path / "tree", entry(path), b"bad")
    assert not (tmp_path / "file").exists()


def test_a_tree_is_read_without_following_links(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/file").write_bytes(b"1")
    (tmp_path / "folder").symlink_to("/etc")
    (tmp_path / "file").symlink_to("/etc/passwd")
    (tmp_path / "gone").symlink_to("nowhere")
    assert read_tree(tmp_path) == {"a/file": b"1", "folder": LINK + b"/etc", "file": LINK + b"/etc/passwd",
                                   "gone": LINK + b"nowhere"}
