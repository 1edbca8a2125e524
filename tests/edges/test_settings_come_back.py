"""Config, env and secrets belong to a release: they come back with it, and a change of them alone is a release."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import Tiny

from aiimprove import build, deployment, rollout, vault
from aiimprove.errors import ConfigError, NotFound, ReleaseFailed
from aiimprove.release import Deployment, Release
from aiimprove.way_back import serving_slot
from aiimprove.workspace import Workspace

V2 = ('elif address.path == "/count":', 'elif address.path == "/v2":\n            self.answer(200, 2)\n'
      '        elif address.path == "/count":')


def secret(tiny: Tiny, value: str) -> None:
    file = tiny.root / "live.env"
    file.touch(mode=0o600)
    file.write_text(f"SECRET={value}\n")


@pytest.fixture
def up(tiny: Tiny) -> Iterator[Tiny]:
    """The app, live, with an env file and a variable of the config; nothing watches long."""
    secret(tiny, "one")
    config = tiny.folder / "config.toml"
    config.write_text(config.read_text().replace("watch_seconds = 1", "watch_seconds = 0")
                      + f'MODE = "old"\n\n[env_file]\nlive = "{tiny.root}/live.env"\n')
    tiny.commit({})
    try:
        assert tiny.call("up", "--without-loop").exit_code == 0
        yield tiny
    finally:
        assert tiny.call("down").exit_code == 0


def serving(tiny: Tiny) -> tuple[str, str, bool]:
    """SECRET and MODE of what serves, and whether it was started with a further word."""
    with closing(tiny.workspace().store):
        slot = serving_slot(tiny.workspace())
        assert slot is not None
        process = Path("/proc") / str(slot.identities()["app"].pid)
        env = dict(row.split("=", 1) for row in (process / "environ").read_text().split("\0") if "=" in row)
        return env["SECRET"], env["MODE"], b"\0further\0" in (process / "cmdline").read_bytes()


def put(tiny: Tiny, ref: str = "HEAD") -> Deployment:
    """Deployed without the proof, which the way back does not need."""
    workspace = tiny.workspace()
    with closing(workspace.store):
        commit = workspace.repository.resolve(ref)
        made = build.build(workspace.config, workspace.repository, commit, workspace.box, str)
        return rollout.put_live(workspace, rollout.Order(made))


def test_a_rollback_brings_back_how_a_release_was_started(up: Tiny) -> None:
    first = serving(up)
    secret(up, "two")
    up.edit("config.toml", 'MODE = "old"', 'MODE = "new"')
    up.edit("config.toml", '"{port}"]', '"{port}", "further"]')
    up.edit("config.toml", '"/count"]', '"/count", "/v2"]')
    up.edit("app/app.py", *V2)
    up.commit({})
    newer = put(up).release
    assert (first, serving(up)) == (("one", "old", False), ("two", "new", True))

    back = up.call("rollback", "--token-stdin", "--json", stdin=up.operator())
    assert back.exit_code == 0 and serving(up) == ("one", "old", False), back  # its own smoke paths were asked
    shown = {each["role"]: each for each in up.call("releases", "--json").data["releases"]}
    assert shown["before"]["id"] == newer and not shown["before"]["differs"]
    assert shown["live"]["differs"] == ["services.app.env", "services.app.smoke", "services.app.start", "env_file.live"]

    to = ("rollback", "--to", newer, "--token-stdin")
    assert up.call(*to, stdin=up.operator()).exit_code == 0 and serving(up) == ("two", "new", True)


def test_a_change_of_the_env_file_alone_is_a_release(up: Tiny) -> None:
    workspace = up.workspace()
    with closing(workspace.store):
        before = workspace.live()
        assert (plan := deployment.plan(workspace, "aiimprove/live")) and plan.done
        secret(up, "two")
        assert up.call("down").exit_code == 0 and "env_file.live" in up.call("up", "--without-loop").output
        assert "Not live, because changed since: env_file.live" in up.call("status").output
        assert serving(up)[0] == "one"  # what serves is a release, and a restart changes none
        plan = deployment.plan(workspace, "aiimprove/live")
        assert plan and not plan.done and "env_file.live" in plan.what
        after = put(up).release
        assert after != before.id and build.load(workspace.config, after).services == before.services
        assert serving(up)[0] == "two"

        (up.state / vault.FOLDER / before.secrets).unlink()
        lost = up.call("rollback", "--token-stdin", "--json", stdin=up.operator())
        assert lost.exit_code == 5 and "--present-env" in lost.error["message"] and serving(up)[0] == "two"
        wanted = deployment.plan_rollback(workspace, before.id, present_env=True)
        # with the present env it is what serves already
        assert deployment.rollback(workspace, wanted).release == after and serving(up)[0] == "two"


class TestVault:
    """The kept copies by themselves."""

    @pytest.fixture
    def workspace(self, tiny: Tiny) -> Iterator[Workspace]:
        secret(tiny, "one")
        found = tiny.workspace()
        env = replace(found.config.env_file, live=str(tiny.root / "live.env"))
        yield replace(found, config=replace(found.config, env_file=env))

    def test_a_copy_is_kept_by_its_content_for_its_owner_alone(self, workspace: Workspace, tiny: Tiny) -> None:
        name = vault.keep(workspace.config)
        secret(tiny, "two")
        other = vault.keep(workspace.config)
        assert vault.keep(workspace.config) == other != name
        folder = workspace.config.state_folder / vault.FOLDER
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()} == {name: 0o600, other: 0o600}
        assert self.of(workspace, name) == {"SECRET": "one"} and self.of(workspace, other) == {"SECRET": "two"}
        assert vault.keep_only(workspace.config, {other}) == [name]

    def test_one_that_was_changed_is_not_used(self, workspace: Workspace) -> None:
        name = vault.keep(workspace.config)
        (workspace.config.state_folder / vault.FOLDER / name).write_text("SECRET=three\n")
        with pytest.raises(ReleaseFailed, match="not kept whole"):
            self.of(workspace, name)

    def test_a_release_of_before_gets_the_present_file(self, workspace: Workspace, tiny: Tiny) -> None:
        old = Release("r-1", "c", {"app": "a"}, {}, "x")
        assert vault.live_env(workspace.config, old) == {"SECRET": "one"} and not build.changed(workspace.config, old)
        assert self.of(workspace, "") == {}
        (tiny.root / "live.env").chmod(0o644)
        with pytest.raises(ConfigError):
            vault.keep(workspace.config)

    def of(self, workspace: Workspace, name: str) -> dict[str, str]:
        return vault.live_env(workspace.config, Release("r-1", "c", {"app": "a"}, {}, "x", 0.0, {"app": {}}, name))


def test_what_was_pruned_cannot_begin_to_serve(tiny: Tiny) -> None:
    tiny.pretend_live()
    workspace = tiny.workspace()
    with closing(workspace.store):
        live = workspace.live()
        build.prune(workspace.config, lambda: ())
        with pytest.raises(NotFound, match="not kept any more"):
            rollout.put_live(workspace, rollout.Order(live))
        assert not workspace.store.unfinished()
