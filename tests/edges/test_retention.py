"""Whatever was deployed, rolled back, proposed and pruned, and whatever the clock said: the way back is there."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import Tiny

from aiimprove import build, deployment, retention, vault
from aiimprove.errors import NotFound, Refused
from aiimprove.improvement import Improvement, Status
from aiimprove.lock import held
from aiimprove.release import Deployment, DeploymentStatus, Release, Slot
from aiimprove.store import forgetting
from aiimprove.workspace import LIVE_COMMIT, LIVE_RELEASE, Workspace

COMMITS, LIMIT = 6, 2
YEAR = 400 * 86400.0


class World:
    """A state folder as deploys, rollbacks and proofs leave it, without anything running; and what must be there."""

    def __init__(self, tiny: Tiny, commits: list[str], chance: random.Random, clock: dict[str, float]) -> None:
        self.tiny, self.commits, self.chance, self.clock = tiny, commits, chance, clock
        found, self.secret = tiny.workspace(), tiny.root / "live.env"
        self.write_secret()
        limits = replace(found.config.limits, releases=LIMIT, deployments=10, answered=1)
        env = replace(found.config.env_file, live=str(self.secret))
        self.workspace = Workspace(replace(found.config, limits=limits, env_file=env), "test")
        self.live, self.before, self.waiting = "", "", dict[str, Release]()
        self.under_way: Deployment | None = None
        self.count = 0

    def write_secret(self) -> None:
        self.secret.touch(mode=0o600)
        self.secret.write_text(f"SECRET={self.chance.randrange(3)}\n")

    def built(self) -> Release:
        workspace = self.workspace
        return build.build(workspace.config, workspace.repository, self.chance.choice(self.commits), workspace.box, str)

    def next(self) -> str:
        self.count += 1
        return f"{self.count:04d}"

    def begin(self, release: Release, reason: str) -> Deployment:
        self.workspace.store.add_release(release)
        made = Deployment(f"d-{self.next()}", release.id, self.live, Slot.BLUE, reason=reason)
        return self.workspace.store.add_deployment(made, "test")

    def end(self, made: Deployment, status: DeploymentStatus) -> None:
        store = self.workspace.store
        with store.transaction():
            store.put_deployment(made, made.advance(status, finished=time.time()), "test")
            if status is DeploymentStatus.COMMITTED:
                store.set_fact(LIVE_RELEASE, made.release)
                store.set_fact(LIVE_COMMIT, store.release(made.release).commit)
                self.live, self.before = made.release, made.replaces

    def deploy(self) -> None:
        release = self.built()
        if release.id != self.live:
            self.end(self.begin(release, "deploy" if self.live else "first"), DeploymentStatus.COMMITTED)

    def fail(self) -> None:
        if self.live:
            self.end(self.begin(self.built(), "deploy"), DeploymentStatus.ABORTED)

    def crash(self) -> None:
        if self.live and self.under_way is None:
            self.under_way = self.begin(self.built(), "deploy")

    def settle(self) -> None:
        if self.under_way is not None:
            self.end(self.under_way, DeploymentStatus.ABORTED)
            self.under_way = None

    def roll_back(self) -> None:
        if self.live and self.under_way is None:
            kept = [each.id for each in build.kept(self.workspace.config)]
            to = self.chance.choice(["", self.chance.choice(kept)])
            plan = None
            with suppress(Refused):  # one that was also built of an improvement that nobody approved
                plan = deployment.plan_rollback(self.workspace, to) if to or self.before else None
            if plan and not plan.done:
                self.end(self.begin(build.load(self.workspace.config, plan.release), "rollback"),
                         DeploymentStatus.COMMITTED)

    def propose(self) -> None:
        release, name = self.built(), f"i-{self.next()}"
        self.tiny.plant(Status.APPROVED, name, release=release.id, commit=release.commit)
        self.waiting[name] = release

    def answer(self) -> None:
        if self.waiting:
            name = self.chance.choice(sorted(self.waiting))
            with closing(self.tiny.store()) as store:
                found: Improvement = store.improvement(name)
                store.save(found, found.advance(self.chance.choice([Status.REJECTED, Status.FAILED])), "test")
            del self.waiting[name]

    def jump(self) -> None:
        self.clock["ahead"] = self.chance.choice([-YEAR, 0.0, 3600.0, YEAR])

    def prune(self) -> None:
        store, limits = self.workspace.store, self.workspace.config.limits
        gone = retention.prune(self.workspace)
        forgetting.deployments(store, limits)
        forgetting.improvements(store, limits)
        forgetting.releases(store, lambda: [each.id for each in build.kept(self.workspace.config)])
        self.must_be_there()
        assert not set(gone) & self.needed()
        in_use = len(self.needed())
        assert len(build.kept(self.workspace.config)) <= in_use + LIMIT
        kept = build.kept(self.workspace.config)
        artifacts = {each for release in kept for each in release.services.values()}
        assert {path.name for path in (self.tiny.state / "artifacts").iterdir()} == artifacts
        folder = self.tiny.state / vault.FOLDER
        assert {path.name for path in folder.iterdir()} == {release.secrets for release in kept}

    def needed(self) -> set[str]:
        under_way = {self.under_way.release, self.under_way.replaces} if self.under_way else set()
        return ({self.live, self.before} | under_way | {each.id for each in self.waiting.values()}) - {""}

    def must_be_there(self) -> None:
        for name in self.needed():
            release = build.load(self.workspace.config, name)
            build.verify(self.workspace.config, release)
            with build.in_use(self.workspace.config, release):
                assert "SECRET" in vault.live_env(self.workspace.config, release)
            if name in (self.live, self.before):
                assert replace(self.workspace.store.release(name), made=release.made) == release


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    found, real = {"ahead": 0.0}, time.time
    monkeypatch.setattr(time, "time", lambda: real() + found["ahead"])
    return found


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tiny, list[str]]:
    tiny = Tiny(tmp_path_factory.mktemp("seeded"))
    return tiny, [tiny.commit({"app/page": str(number // 2)}) for number in range(COMMITS)]


def lived(tiny: Tiny, commits: list[str], seed: int, clock: dict[str, float], steps: int) -> None:
    world = World(tiny, commits, random.Random(seed), clock)
    with closing(world.workspace.store):
        world.deploy()
        actions = [world.deploy, world.deploy, world.fail, world.crash, world.settle, world.roll_back, world.propose,
                   world.answer, world.jump, world.write_secret, world.prune, world.prune]
        for _ in range(steps):
            world.chance.choice(actions)()
            world.must_be_there()
        clock["ahead"] = 0.0


@pytest.mark.parametrize("seed", range(3))
def test_no_history_loses_the_way_back(seeded: tuple[Tiny, list[str]], seed: int, clock: dict[str, float],
                                       tmp_path: Path) -> None:
    lived(seeded[0].copy(tmp_path / "world"), seeded[1], seed, clock, 40)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 130))
def test_nor_does_any_of_many(seeded: tuple[Tiny, list[str]], seed: int, clock: dict[str, float],
                              tmp_path: Path) -> None:
    lived(seeded[0].copy(tmp_path / "world"), seeded[1], seed, clock, 120)


@pytest.fixture
def world(seeded: tuple[Tiny, list[str]], clock: dict[str, float], tmp_path: Path) -> Iterator[World]:
    found = World(seeded[0].copy(tmp_path / "world"), seeded[1], random.Random(1), clock)
    with closing(found.workspace.store):
        yield found


def test_the_one_before_live_is_found_although_the_clock_went_back(world: World) -> None:
    world.clock["ahead"] = YEAR
    world.deploy()
    world.clock["ahead"] = 0.0
    first = world.live
    while world.live == first:
        world.deploy()
    assert deployment.plan_rollback(world.workspace).release == first


def test_nothing_goes_while_somebody_is_at_work_or_builds(world: World) -> None:
    world.deploy()
    spare = next(each for each in (world.built() for _ in range(20)) if each.id != world.live)
    with closing(world.tiny.store()) as other, held(other, "improvement i", "proving it"):
        assert retention.prune(world.workspace) == []
    with build.in_use(world.workspace.config, spare):
        assert retention.prune(world.workspace) == []
    assert retention.prune(world.workspace) == [spare.id]
    with pytest.raises(NotFound):
        build.load(world.workspace.config, spare.id)


def test_a_removal_that_was_broken_off_is_finished_the_next_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.deploy()
    live = world.workspace.live()
    spare = next(each for each in (world.built() for _ in range(20)) if each.services != live.services)

    def killed(path: Path, ignore_errors: bool) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying, suppress(KeyboardInterrupt):
        dying.setattr("shutil.rmtree", killed)
        retention.prune(world.workspace)
    assert spare.id not in {each.id for each in build.kept(world.workspace.config)}
    assert list((world.tiny.state / "artifacts").glob(".going-*"))
    retention.prune(world.workspace)
    world.must_be_there()
    assert not list(world.tiny.state.glob("*/.going-*"))
