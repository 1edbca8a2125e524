"""What a candidate mends besides its own finding: asked of both copies' real data."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import FINDING, SQL

from aiimprove.finding import Probe
from aiimprove.proving.also import also_mended
from aiimprove.proving.copies import Copy
from aiimprove.release import Release

OTHER = replace(FINDING, place="app/notes.db:notes(tag, id)", title="another side of it")


@pytest.fixture
def copies(tmp_path: Path) -> tuple[Copy, Copy]:
    """Without and with the index; no service runs."""
    for name in ("baseline", "candidate"):
        (tmp_path / name).mkdir()
        with closing(sqlite3.connect(tmp_path / name / "notes.db")) as connection:
            connection.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, tag TEXT, text TEXT)")
            if name == "candidate":
                connection.execute("CREATE INDEX notes_by_tag ON notes (tag)")
    release = Release("r", "c", {}, "a", 0.0)
    one, other = (Copy(release, {"app": "http://127.0.0.1:1"}, tmp_path / name, {}, "c")
                  for name in ("baseline", "candidate"))
    return one, other


def test_what_is_gone_on_the_candidate_is_told(copies: tuple[Copy, Copy]) -> None:
    assert also_mended([OTHER], *copies) == {OTHER.fingerprint: "another side of it"}


def test_what_is_still_there_or_was_never_there_is_not(copies: tuple[Copy, Copy]) -> None:
    baseline, candidate = copies
    assert also_mended([OTHER], baseline, baseline) == also_mended([OTHER], candidate, candidate) == {}
    assert also_mended([OTHER], candidate, baseline) == {}


@pytest.mark.parametrize("probe", [
    Probe("none", "app", {}, {}), Probe("http", "app", {"method": "POST", "path": "/"}, {"status_below": 500}),
    Probe("http", "app", {"method": "GET", "path": "/"}, {"status_below": 500}),
    Probe("query-plan", "app", {"database": "gone.db", "sql": SQL}, {"no_scan_of": "notes"})],
    ids=["nothing shows it", "it writes", "nobody answers", "no such database"])
def test_what_cannot_be_asked_is_not_told(copies: tuple[Copy, Copy], probe: Probe) -> None:
    assert also_mended([replace(OTHER, probe=probe)], *copies) == {}
