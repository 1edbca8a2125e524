"""Hashed files of earlier releases, for pages that were loaded before a switch."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from traffic_site import Site, ask, make_config

from aiimprove import assets
from aiimprove.gateway import Gateway, Generation
from aiimprove.release import Environment, Release
from aiimprove.settings import Config

LIVE = Environment.LIVE
CHUNK = "/_built/static/chunks/app/[id]/page-1a2b.js"
ASKED = CHUNK.replace("[", "%5B").replace("]", "%5D")


@dataclass
class Built:
    site: Site
    config: Config

    def release(self, name: str, files: dict[str, str]) -> Release:
        folder = self.config.state_folder / "artifacts" / name
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return Release(name, "c" * 40, dict.fromkeys(self.config.services, name), {}, "a" * 64)


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Built]:
    config = make_config(tmp_path)
    services = {name: replace(each, artifact="out", assets={"/_built/static/": "static"})
                for name, each in config.services.items()}
    config = replace(config, services=services)
    here = Site(Gateway(config), config)
    try:
        here.gateway.start()
        yield Built(here, config)
    finally:
        here.end()


def _old_and_new(built: Built) -> tuple[Release, Release]:
    """The old release served, its artifact is gone; the new one serves and knows none of its files."""
    old = built.release("old", {"static/chunks/app/[id]/page-1a2b.js": "old();", "server.js": "secret"})
    new = built.release("new", {"static/chunks/main-3c4d.js": "new();"})
    assets.keep(built.config, [old, new])
    for file in sorted((built.config.state_folder / "artifacts" / "old").rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    built.site.gateway.switch(LIVE, Generation("new", built.site.release("new")))
    return old, new


def test_a_page_from_before_the_switch_still_gets_its_files(built: Built) -> None:
    _old_and_new(built)
    said = ask(built.site.public("frontend"), ASKED)
    assert (said.status, said.text) == (200, "old();")
    assert said.values("Content-Type")[0].startswith("text/javascript")
    assert said.values("Cache-Control") == ["public, max-age=31536000, immutable"]
    assert said.values("X-From-App") == ["yes"], "what the app says about every answer is missing"
    head = ask(built.site.public("frontend"), ASKED, "HEAD")
    assert head.status == 200 and head.text == "" and head.values("Content-Length") == ["6"]


def test_during_a_canary_each_side_has_the_files_of_the_other(built: Built) -> None:
    old, _ = _old_and_new(built)
    current = built.site.gateway.current(LIVE)
    assert current is not None and old.id == "old"
    built.site.gateway.switch(LIVE, current.with_canary("later", built.site.release("later"), 1000))
    assert ask(built.site.public("frontend"), ASKED).text == "old();"


@pytest.mark.parametrize("path", [
    "/_built/static/chunks/app/none.js", "/_built/static/../server.js", "/_built/static/%2e%2e/%2e%2e/server.js",
    "/_built/static/", "/_built/static/chunks", "/elsewhere/page-1a2b.js", "/_built/static/*/app/*/page-1a2b.js",
])
def test_nothing_else_is_served(built: Built, path: str) -> None:
    _old_and_new(built)
    said = ask(built.site.public("frontend"), path)
    assert "old()" not in said.text and "secret" not in said.text
    assert said.status == (404 if path.startswith("/_built") else 200), "the service's own answer is not kept"


def test_a_write_and_the_own_files_are_the_services_business(built: Built) -> None:
    _old_and_new(built)
    assert ask(built.site.public("frontend"), ASKED, "POST", "x").status == 404
    assert ask(built.site.public("frontend"), "/_built/static/chunks/main-own.js").release == "new"


def test_files_are_kept_for_their_hours_and_no_longer(built: Built) -> None:
    old, new = _old_and_new(built)
    kept = assets.folder(built.config, "frontend")
    hour = time.time() - 3600
    os.utime(kept / "old", (hour, hour - 22 * 3600))
    os.utime(kept / "new", (hour, hour - 48 * 3600))
    assets.prune(built.config, [new])
    assert {each.name for each in kept.iterdir()} == {"old", "new"}
    os.utime(kept / "old", (hour, hour - 24 * 3600))
    assets.prune(built.config, [new])
    assert {each.name for each in kept.iterdir()} == {"new"}
    assert ask(built.site.public("frontend"), ASKED).status == 404
    assert old.id not in os.listdir(kept)


def test_very_many_releases_in_a_day_are_bounded(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "MOST_KEPT", 3)
    many = [built.release(f"r{number}", {"static/a.js": "a"}) for number in range(5)]
    for number, release in enumerate(many):
        assets.keep(built.config, [release])
        os.utime(assets.folder(built.config, "frontend") / release.id, (number, time.time() - 100 + number))
    assets.prune(built.config, [many[0]])
    assert {each.name for each in assets.folder(built.config, "frontend").iterdir()} == {"r0", "r3", "r4"}
