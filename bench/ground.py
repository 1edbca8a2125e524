"""The bundled site as the benches need it: standing, filled, with a second release to switch to."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aiimprove import build, config
from aiimprove.launch import Place, launch
from aiimprove.release import Release
from aiimprove.workspace import Workspace
from bench.figures import Wanted
from bench.site import KEPT_ON_RESET, Site


def as_it_is(text: str) -> str:
    return text


def own_intervals(text: str) -> str:
    """The config without the quick intervals of the tests: the engine takes its own."""
    return text.partition("[intervals]")[0]


@contextmanager
def standing(wanted: Wanted, *, watch: float = 3.0, change: Callable[[str], str] = as_it_is) -> Iterator[Site]:
    """A site that is up, with an operator and without a loop; `change` edits its config.toml before it starts."""
    with _scratch(wanted.scratch) as scratch:
        site = Site.create(scratch, watch=watch)
        file = site.folder / "config.toml"
        file.write_text(change(file.read_text()))
        if site.git("status", "--porcelain"):
            site.commit("config")
        try:
            site.must("up")
            site.add_operator()
            site.stop_loop()
            yield site
        finally:
            site.run("down")


@contextmanager
def _scratch(kept: str) -> Iterator[Path]:
    """A folder for one site: a temporary one, or what an earlier bench left, with its builds only."""
    if not kept:
        with tempfile.TemporaryDirectory(prefix="bench-") as made:
            yield Path(made)
        return
    folder = Path(kept).resolve()
    shutil.rmtree(folder / "site", ignore_errors=True)
    for each in (folder / "state").iterdir() if (folder / "state").is_dir() else ():
        if each.name not in KEPT_ON_RESET:
            shutil.rmtree(each) if each.is_dir() else each.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    yield folder


def workspace(site: Site) -> Workspace:
    """The engine on that site, in this process."""
    os.environ["AIIMPROVE_STATE"] = str(site.state)
    return Workspace(config.load(site.folder), "bench")


def another_release(site: Site, engine: Workspace) -> Release:
    """A release of one more commit, which touches the back end only."""
    name = "backend/main_enhanced.py"
    with (site.folder / name).open("a") as file:
        file.write("# one more line\n")
    site.git("commit", "-q", "-m", "one more line", "--", name)
    commit = site.git("rev-parse", "HEAD")
    return build.build(engine.config, engine.repository, commit, engine.box, engine.progress, trusted=True)


def seed(engine: Workspace, rows: int) -> None:
    """Fill the live database with made-up videos."""
    place = Place({}, engine.data("live"), role="live")
    words = launch(engine.config, engine.live(), "backend", place, ["{python}", "seed.py", "--rows", str(rows)])
    subprocess.run(words.argv, cwd=words.cwd, env=dict(words.env), check=True, stdout=subprocess.DEVNULL)


def rows_written(site: Site) -> list[str]:
    """The paths of the page views in the live database: each acknowledged POST of a load must stand there once."""
    database = sqlite3.connect(f"file:{site.state / 'data' / 'live' / 'library.db'}?mode=ro", uri=True)
    try:
        return [row[0] for row in database.execute("SELECT path FROM usage_events WHERE type = 'page_view'")]
    finally:
        database.close()
