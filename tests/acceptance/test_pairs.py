"""Two improvements that touch different files, each fine alone and broken together, on an app that really runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import FINDING, Tiny, proven

from aiimprove import approval, build, lifecycle, pairs
from aiimprove.due import Due
from aiimprove.errors import Refused
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.improvement import Approval, Improvement, Status
from aiimprove.proving import judge_digest
from aiimprove.workspace import Workspace

APP = (Path(__file__).parent.parent / "apps" / "tiny" / "app" / "app.py").read_text()
INDEX = {"app/migrations/0002_notes_by_tag.sql": b"CREATE INDEX notes_by_tag ON notes (tag);\n"}
PAGE = APP.replace('        elif address.path == "/count":\n', '''\
        elif address.path == "/all":
            self.answer(200, [row[0] for row in rows("SELECT text FROM notes ORDER BY id LIMIT 20")])
        elif address.path == "/count":
''')
STRICT = PAGE.replace("self.answer(200, rows(\"SELECT count", "self.answer(200 if self.known() else 500, "
                      "rows(\"SELECT count").replace("    def do_POST", '''\
    def known(self):
        return rows("PRAGMA user_version")[0][0] == 1

    def do_POST''')
"""It answers as long as the schema is the one that its author saw."""
MISSING = Finding("errors", Kind.BUG, "missing-page", "app GET /all", "A page of all notes", "It is missing.",
                  Probe("http", "app", {"method": "GET", "path": "/all"}, {"status_below": 400}), 10.0)


def planted(tiny: Tiny, engine: Workspace, status: Status, name: str, files: Mapping[str, bytes],
            finding: Finding = FINDING) -> Improvement:
    """One that changes these files on top of what is live, built and as if proven by itself."""
    base = engine.live().commit
    commit = engine.repository.commit_files(base, files, name)
    engine.repository.set_branch(f"ai/{name}", commit)
    release = build.build(engine.config, engine.repository, commit, engine.box, str)
    engine.store.add_release(release)
    digest = (name[0] * 64)[:64]
    evidence = replace(proven(base, judge_digest(engine.config)), candidate_commit=commit, artifact=release.artifact,
                       probe=finding.probe.digest())
    yes = Approval("anna", digest, time.time()) if status is Status.APPROVED else None
    return tiny.plant(status, name, finding=finding, base_commit=base, commit=commit, digest=digest, evidence=evidence,
                      patch=engine.repository.diff(base, commit), approval=yes, artifact=release.artifact,
                      branch=f"ai/{name}", release=release.id)


@pytest.fixture
def tiny(built: Tiny, tmp_path: Path) -> Tiny:
    return built.copy(tmp_path)


def test_two_that_do_not_go_together_are_known_before_anybody_says_yes(tiny: Tiny, engine: Workspace) -> None:
    index = planted(tiny, engine, Status.AWAITING_APPROVAL, "index", INDEX)
    strict = planted(tiny, engine, Status.AWAITING_APPROVAL, "strict", {"app/app.py": STRICT.encode()}, MISSING)
    assert Due(engine).pairs()
    said = lifecycle.STEPS["pairs"](engine)
    assert said == "index and strict together: conflict (smoke: app /count answers 500 (live: 200))"
    assert not Due(engine).pairs() and lifecycle.STEPS["pairs"](engine) == "", "once is enough"
    for one, other in ((index, strict), (strict, index)):
        card = tiny.call("show", one.id, "--json").data
        assert [(each["with"], each["word"]) for each in card["pairs"]] == [(other.id, "conflict")]
        assert [each.partition(" (")[0] for each in card["refusals"]] == [f"it does not go together with {other.id}"]
    assert "Together with strict (A page of all notes): conflict" in tiny.call("show", "index").output
    approval.approve(engine, index.id, index.digest)
    with pytest.raises(Refused, match="strict does not go together with index, which is approved: smoke: app /count"):
        approval.approve(engine, strict.id, strict.digest)
    approval.reject(engine, index.id, index.digest, "rather the other")
    assert approval.approve(engine, strict.id, strict.digest).status is Status.APPROVED


def test_two_that_go_together(tiny: Tiny, engine: Workspace) -> None:
    planted(tiny, engine, Status.VERIFIED, "index", INDEX)
    page = planted(tiny, engine, Status.APPROVED, "page", {"app/app.py": PAGE.encode()}, MISSING)
    said = lifecycle.STEPS["pairs"](engine)
    assert said.startswith("index and page together: fine (smoke: all 3 addresses answer; probe: "), said
    assert "all 2 tests" in said or "tests of app" in said
    assert [each["with"] for each in pairs.beside(engine, page)] == ["index"]
    engine.store.save(page, page.advance(Status.GENERATED), "test")
    assert pairs.beside(engine, engine.store.improvement("index")) == [], "it stands there no more"


@pytest.mark.parametrize(("other", "why"), [
    (STRICT.replace("LIMIT 20", "LIMIT 50"), "both change app/app.py, in ways that cannot be merged"),
    (STRICT, "both make the same change")])
def test_what_cannot_be_merged_is_not_tried(tiny: Tiny, engine: Workspace, other: str, why: str) -> None:
    planted(tiny, engine, Status.VERIFIED, "one", {"app/app.py": STRICT.encode()}, MISSING)
    planted(tiny, engine, Status.VERIFIED, "two", {"app/app.py": other.encode()}, MISSING)
    assert lifecycle.STEPS["pairs"](engine) == f"one and two together: conflict ({why})"


def test_only_so_many_pairs_are_tried(tiny: Tiny, engine: Workspace) -> None:
    for name in ("one", "two", "three", "four"):
        planted(tiny, engine, Status.VERIFIED, name, {f"app/{name}.py": b"x = 1\n"})
    assert len(list(pairs._pairs(engine))) == engine.config.limits.waiting == 3


@pytest.mark.slow
@pytest.mark.parametrize(("name", "files", "finding"), [
    ("index", INDEX, FINDING), ("strict", {"app/app.py": STRICT.encode()}, MISSING)])
def test_each_is_fine_alone(tiny: Tiny, engine: Workspace, name: str, files: Mapping[str, bytes],
                            finding: Finding) -> None:
    planted(tiny, engine, Status.GENERATED, name, files, finding)
    assert lifecycle.STEPS["test"](engine) == f"{name} is VERIFIED", engine.store.improvement(name).reason


def test_the_second_is_caught_before_it_could_go_live(tmp_path: Path) -> None:
    """Nobody looked at the pair: the first goes live, and the second, approved as well, is proven on top of it."""
    tiny = Tiny(tmp_path)
    assert tiny.call("up", "--without-loop").exit_code == 0
    try:
        with closing((engine := tiny.workspace()).store):
            planted(tiny, engine, Status.APPROVED, "index", INDEX)
            planted(tiny, engine, Status.APPROVED, "strict", {"app/app.py": STRICT.encode()}, MISSING)
            token = tiny.operator()
            assert tiny.call("deploy", "index", "--token-stdin", "--json", stdin=token).exit_code == 0
            refused = tiny.call("deploy", "strict", "--token-stdin", "--json", stdin=token)
            assert refused.exit_code == 3 and "live has moved since it was proven" in refused.error["message"]
            assert lifecycle.STEPS["generate"](engine) == "strict is GENERATED"
            carried = engine.store.improvement("strict")
            assert carried.approval is None and carried.base_commit == engine.live().commit
            assert lifecycle.STEPS["test"](engine) == "strict is FAILED"
            assert "/count answers 500" in engine.store.improvement("strict").reason
    finally:
        assert tiny.call("down").exit_code == 0
