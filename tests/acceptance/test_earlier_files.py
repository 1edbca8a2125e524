"""A page of the bundled site that was loaded before a deploy of the front end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest

from aiimprove import build
from aiimprove.release import Environment
from aiimprove.rollout import Order, put_live

if TYPE_CHECKING:
    from bench.site import Site

pytestmark = [pytest.mark.site, pytest.mark.slow]


def test_a_page_from_before_a_deploy_still_gets_its_files(site: Site) -> None:
    from bench.ground import workspace

    page = httpx.get(site.url("frontend")).text
    files = sorted(set(re.findall(r"/_next/static/[^\"'\\ ]+\.(?:js|css)", page)))
    before = {file: httpx.get(site.url("frontend") + file) for file in files}
    assert len(files) > 3 and {each.status_code for each in before.values()} == {200}
    style = site.folder / "frontend/app/globals.css"
    style.write_text(style.read_text() + "\n.later { color: red; }\n")
    site.git("commit", "-q", "-m", "another style", "--", "frontend/app/globals.css")
    engine, commit = workspace(site), site.git("rev-parse", "HEAD")
    release = build.build(engine.config, engine.repository, commit, engine.box, str, trusted=True)
    put_live(engine, Order(release))
    private = engine.slots.running(Environment.LIVE).popitem()[1].ports["frontend"]
    gone = [file for file in files if httpx.get(f"http://127.0.0.1:{private}{file}").status_code == 404]
    assert gone, "the new release still has every file: nothing is shown"
    for file in files:
        now = httpx.get(site.url("frontend") + file)
        assert (now.status_code, now.content) == (200, before[file].content)
        assert now.headers["content-type"].split(";")[0].split("/")[1] \
            == before[file].headers["content-type"].split(";")[0].split("/")[1]
        assert now.headers["cache-control"] == before[file].headers["cache-control"]
        assert now.headers["x-content-type-options"] == "nosniff"
