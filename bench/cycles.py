"""Rows lost over cycles of migrate up, write, roll back, read, forward: on the bundled site's backend, live.

Each cycle commits one more real migration (in turns a column, an index, a table, a trigger), puts its release live,
writes through it, rolls back to the release before, reads what was written and writes more, and puts the new release
live again. Everything goes through `aiimprove.rollout.put_live`, as the verbs `deploy` and `rollback` do; the proof
before it is left out here. The site has no front end, so that a cycle takes seconds.

A row is lost when it is gone from any table, or holds something else in a table that the bench writes to, compared
after each step in the columns that both schemas have; or when what was acknowledged cannot be read through the site.
"""

from __future__ import annotations

import http.client
import json
import shutil
import statistics
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import tomli_w

from aiimprove import build, retention
from aiimprove.ledger import losses
from aiimprove.rehearsal import databases
from aiimprove.release import Release
from aiimprove.rollout import Order, put_live
from aiimprove.snapshot import clone
from aiimprove.workspace import Workspace
from bench.figures import Figures, Target, Wanted, main
from bench.ground import standing, workspace
from bench.site import Site

CYCLES, SHORT = 100, 3
WRITES = 3


class App(Protocol):
    """An app that is live. `written_to` names the tables that its writes fill, `passing` those whose rows come and go
    by themselves; `kinds` are migrations with a blank for a number."""

    engine: Workspace

    @property
    def written_to(self) -> tuple[str, ...]: ...
    @property
    def passing(self) -> tuple[str, ...]: ...
    @property
    def kinds(self) -> Mapping[str, str]: ...

    def release(self, name: str, sql: str) -> Release: ...
    def write(self, text: str) -> Any: ...
    def has(self, key: Any, text: str) -> bool: ...


@dataclass
class Seen:
    """What came of the cycles so far: acknowledged rows by what names them, losses in words, and times by step."""

    acknowledged: dict[Any, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    unread: int = 0


def measure(wanted: Wanted) -> Figures:
    with standing(wanted, watch=0.0, change=_backend_only) as site:
        return over(Library(site), wanted.more["cycles"] or (SHORT if wanted.short else CYCLES))


def over(app: App, cycles: int) -> Figures:
    """The figures of so many cycles."""
    seen, rows = Seen(), []
    for number in range(cycles):
        kind = list(app.kinds)[number % len(app.kinds)]
        began, lost = time.monotonic(), len(seen.lost)
        _cycle(app, seen, number, app.kinds[kind].format(number=number))
        retention.prune(app.engine)
        rows.append({"cycle": number + 1, "migration": kind, "rows so far": len(seen.acknowledged),
                     "lost": len(seen.lost) - lost, "seconds": time.monotonic() - began})
    seen.unread += sum(not app.has(key, text) for key, text in seen.acknowledged.items())
    for words in seen.lost:
        print(f"lost: {words}")
    steps = [{"step": step, "median s": statistics.median(all_of), "longest s": max(all_of)}
             for step, all_of in seen.seconds.items()]
    return Figures([*rows, *steps], [
        Target(f"rows lost over {cycles} cycles, of {len(seen.acknowledged)} written", len(seen.lost), 0),
        Target("acknowledged rows that could not be read", seen.unread, 0)])


def _cycle(app: App, seen: Seen, number: int, sql: str) -> None:
    old, new = app.engine.live(), app.release(f"cycle_{number:03}", sql)
    with _photos(app, seen) as photo:
        _step(seen, "migrate up", lambda: put_live(app.engine, Order(new)))
        photo("migrate up")
        fresh = _written(app, seen, f"by the new release {number}")
        photo("write")
        _step(seen, "roll back", lambda: put_live(app.engine, Order(old, reason="rollback")))
        seen.unread += sum(not app.has(key, seen.acknowledged[key]) for key in fresh)
        fresh += _written(app, seen, f"by the old release {number}")
        photo("roll back")
        _step(seen, "forward", lambda: put_live(app.engine, Order(new)))
        seen.unread += sum(not app.has(key, seen.acknowledged[key]) for key in fresh)
        photo("forward")


def _written(app: App, seen: Seen, text: str) -> list[Any]:
    """The names of rows that were acknowledged just now; one name that comes twice is a row that is lost."""
    keys = []
    for turn in range(WRITES):
        key = app.write(f"{text}, {turn}")
        if key in seen.acknowledged:
            seen.lost.append(f"{key} was given away twice")
        seen.acknowledged[key] = f"{text}, {turn}"
        keys.append(key)
    return keys


def _step(seen: Seen, name: str, act: Callable[[], object]) -> None:
    began = time.monotonic()
    act()
    seen.seconds.setdefault(name, []).append(time.monotonic() - began)


@contextmanager
def _photos(app: App, seen: Seen) -> Iterator[Callable[[str], None]]:
    """Each call copies the live databases and holds the copy before against it."""
    work, config = app.engine.work("cycles"), app.engine.config
    clone(config, app.engine.data("live"), work / "before")

    def photo(step: str) -> None:
        clone(config, app.engine.data("live"), work / "after")
        for name in databases(config):
            seen.lost += [f"{step}: {loss}" for loss in losses(work / "before" / name, work / "after" / name)
                          if loss.table in app.written_to or (loss.gone and loss.table not in app.passing)]
        shutil.rmtree(work / "before")
        (work / "after").rename(work / "before")

    try:
        yield photo
    finally:
        shutil.rmtree(work, ignore_errors=True)


class Library:
    """The bundled backend, by its playlists."""

    written_to = ("playlists", "playlist_items")
    passing = ("leases",)
    kinds: ClassVar[Mapping[str, str]] = {
        "column": "ALTER TABLE playlists ADD COLUMN extra_{number} TEXT NOT NULL DEFAULT 'none';",
        "index": "CREATE INDEX playlists_by_{number} ON playlists (name, created);",
        "table": "CREATE TABLE notes_{number} (id INTEGER PRIMARY KEY, playlist_id INTEGER REFERENCES playlists (id), "
                 "text TEXT NOT NULL DEFAULT '');",
        "trigger": "CREATE TABLE made_{number} (playlist_id INTEGER PRIMARY KEY);\n"
                   "CREATE TRIGGER playlists_made_{number} AFTER INSERT ON playlists BEGIN\n"
                   "  INSERT INTO made_{number} VALUES (new.id);\nEND;",
    }

    def __init__(self, site: Site) -> None:
        self.site, self.engine = site, workspace(site)

    def release(self, name: str, sql: str) -> Release:
        folder = self.site.folder / "backend" / "migrations"
        number = len(list(folder.glob("*.sql"))) + 1
        (folder / f"{number:04}_{name}.sql").write_text(sql + "\n")
        commit = self.site.commit(name)
        return build.build(self.engine.config, self.engine.repository, commit, self.engine.box, self.engine.progress,
                           trusted=True)

    def write(self, text: str) -> Any:
        return self._ask("POST", "/api/playlists", {"name": text})["id"]

    def has(self, key: Any, text: str) -> bool:
        return bool(self._ask("GET", f"/api/playlists/{key}").get("name") == text)

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.site.ports["backend.live"], timeout=30)
        try:
            connection.request(method, path, json.dumps(body) if body else None, {"content-type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
            if method == "POST" and answer.status != 201:
                raise AssertionError(f"{method} {path} answered {answer.status}: {content[:200]!r}")
            return dict(json.loads(content)) if answer.status < 400 else {}
        finally:
            connection.close()


def _backend_only(text: str) -> str:
    config = tomllib.loads(text)
    del config["services"]["frontend"], config["approvals"]
    return tomli_w.dumps(config)


if __name__ == "__main__":
    main("cycles", __doc__, measure, {"cycles": (int, "how many cycles")})
