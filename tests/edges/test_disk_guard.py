"""What would not fit is refused before it starts, in a sentence that helps; a rollback never is."""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import Tiny

from aiimprove import analysis, build, deployment, development, disk, upkeep, verification
from aiimprove.disk import Amount, must_fit, used
from aiimprove.errors import NoRoom
from aiimprove.improvement import Status
from aiimprove.launch import settings_now
from aiimprove.settings import Limits
from aiimprove.workspace import Workspace


@pytest.fixture
def full(tiny: Tiny) -> Workspace:
    """The app, live as far as records go, on a disk with less free than the config wants to keep."""
    tiny.pretend_live()
    data = tiny.state / "data" / "live"
    data.mkdir(parents=True)
    (data / "notes.db").write_bytes(b"x" * 5_000_000)
    found = tiny.workspace()
    return replace(found, config=replace(found.config, limits=Limits(free_mb=1e9)))


def test_every_plan_is_refused_before_it_starts(full: Workspace, tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.plant(Status.GENERATED)
    monkeypatch.setattr(type(full.gateway), "running", lambda gateway: True)
    wanted = tiny.commit({"app/new.txt": "new"})
    before = built(tiny)
    with closing(full.store):
        for plan, what in [
            (lambda: build.build(full.config, full.repository, wanted, full.box, str), "building commit"),
            (lambda: verification.verify(full, "index"), "the proof of index"),
            (lambda: deployment.deploy(full, deployment.Plan("this", commit=wanted)), "the deploy of this"),
            (lambda: analysis.analyze(full), "a private copy"),
            (lambda: development.show(full), "the development copy"),
        ]:
            with pytest.raises(NoRoom, match=f"no room for {what}.*aiimprove prune.*Nothing was started") as refused:
                plan()
            assert refused.value.exit_code == 3
        assert full.store.improvement("index").attempts == 0 and not full.store.unfinished()
    assert built(tiny) == before


def built(tiny: Tiny) -> list[str]:
    kinds = ("releases", "artifacts", "work", "data")
    return sorted(path.name for kind in kinds for path in tiny.state.glob(f"{kind}/*") if path.name != "git")


def test_the_command_line_says_so(tiny: Tiny) -> None:
    config = tiny.folder / "config.toml"
    config.write_text(config.read_text().replace("[deploy]", "[limits]\nfree_mb = 999999999\n\n[deploy]"))
    said = tiny.call("up", "--json")
    assert said.exit_code == 3 and said.error["code"] == "no_room" and "limits.free_mb" in said.error["message"]
    tiny.call("down")


def test_what_a_build_needs_is_guessed_from_the_last_one(tiny: Tiny) -> None:
    tiny.commit({"app/ballast": "x" * 3_000_000})
    tiny.pretend_live()
    workspace = tiny.workspace()
    with closing(workspace.store):
        live = workspace.live()
        one = used(tiny.state / "artifacts" / live.services["app"])
        assert one.bytes > 3_000_000
        needed = build.estimate.needed(workspace.config, {"app": "another"}, {"app": ""})
        assert needed == one * 2
        assert build.estimate.needed(workspace.config, live.services, live.dependencies) == Amount()
        assert settings_now(workspace.config).keys() == live.settings.keys()


def test_inodes_and_the_disk_of_the_logs_count_too(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    config = replace(tiny.config(), limits=Limits(free_mb=1))
    must_fit(config, "a little", Amount(1000, 10))
    with pytest.raises(NoRoom, match="files and folders"):
        must_fit(config, "very many files", Amount(1000, 1 << 61))
    other = Path("/dev/shm")
    if os.stat(other).st_dev == os.stat(tiny.root).st_dev:
        pytest.skip("no second file system here")
    huge = replace(config, logs_folder=other, limits=Limits(free_mb=1, log_mb=1e9))
    with pytest.raises(NoRoom, match="free for logs"):
        must_fit(huge, "a little", Amount(1000, 10))
    endless = os.statvfs_result((4096, 4096, 1 << 40, 1 << 39, 1 << 39, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda path: endless)
    assert disk.free(tiny.root).entries > 1 << 60  # a file system without a fixed number of inodes


def test_what_is_used_counts_each_file_once(tmp_path: Path) -> None:
    (tmp_path / "one" / "deep").mkdir(parents=True)
    (tmp_path / "one" / "deep" / "file").write_bytes(b"x" * 100_000)
    os.link(tmp_path / "one" / "deep" / "file", tmp_path / "again")
    (tmp_path / "link").symlink_to("/usr")
    assert used(tmp_path).entries == 5 and 100_000 <= used(tmp_path).bytes < 150_000
    assert used(tmp_path / "one", tmp_path / "again").entries == 3 and used(tmp_path / "none") == Amount()


class TestPrune:
    """The verb, and when the loop does it."""

    def test_what_crashes_left_goes_and_what_is_used_stays(self, tiny: Tiny) -> None:
        live = tiny.pretend_live()
        old = time.time() - 7200
        for name in ("i-1/proof", "git", "fresh"):
            (tiny.state / "work" / name).mkdir(parents=True, exist_ok=True)
        (tiny.state / "artifacts" / ".building-1234").mkdir()
        (tiny.state / "artifacts" / ".building-1234" / "half").write_bytes(b"x" * 2_000_000)
        for name in ("i-1", "git"):
            os.utime(tiny.state / "work" / name, (old, old))
        done = tiny.call("prune", "--json").data
        assert done["removed"] == {"scratch folders": 1} and done["freed_bytes"] > 1_900_000
        assert {path.name for path in (tiny.state / "work").iterdir()} == {"git", "fresh"}
        shown = tiny.call("status", "--json").data["footprint"]
        assert shown == done["footprint"] and shown["bytes"] == sum(shown["parts"].values())
        assert " MB: " in tiny.call("status").output
        assert [each["id"] for each in tiny.call("releases", "--json").data["releases"]] == [live]
        assert "Removed: nothing." in tiny.call("prune").output

    def test_it_is_due_once_a_day_whatever_the_clock_does_and_more_often_when_the_disk_is_low(self, tiny: Tiny) -> None:
        workspace = tiny.workspace()
        low = replace(workspace, config=replace(workspace.config, limits=Limits(free_mb=1e9)))
        with closing(workspace.store), closing(low.store):
            assert upkeep.due(workspace)
            for ago, plenty, little in [(0, False, False), (700, False, True), (90_000, True, True),
                                        (-90_000, True, True)]:
                workspace.store.set_fact(upkeep.PRUNED, time.time() - ago)
                assert (upkeep.due(workspace), upkeep.due(low)) == (plenty, little), ago
            workspace.store.set_fact(upkeep.PRUNED, 0)
            assert upkeep.prune(workspace).words == "nothing" and not upkeep.due(workspace)
