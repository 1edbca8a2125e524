"""The apps of the dev set: what is planted in each, and what each must still do after a fix. Of these the engine sees
the folder `app` alone, as a repository; `clean` holds the same app's files with every defect mended.

`planted.toml` holds, for each defect: `cause` as the detectors call it (or several: any of them), `where` (words of
the place that a finding of it must name), `fixable` (whether a recipe for it is meant to exist), and the request after
a right fix with the statuses that are then right (`after`, `status`). `also` are defects that nobody planted on purpose
and that are none the less real: finding them is neither counted nor wrong. `acceptance` are requests with the answers
that the app gives with its defects, and must give with any of them mended. `visits` are sent to live beforehand.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiimprove.answer import Answer
from aiimprove.probes import Line
from aiimprove.samples import Request
from bench.site import SOURCE

APPS = SOURCE / "tests" / "apps" / "power"


@dataclass(frozen=True)
class Planted:
    """One defect. `after` is empty where no single answer tells that it is mended."""

    causes: tuple[str, ...]
    where: str
    fixable: bool = False
    after: str = ""
    status: tuple[int, ...] = ()

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Planted:
        causes = row["cause"] if isinstance(row["cause"], list) else [row["cause"]]
        return cls(tuple(causes), row["where"], row.get("fixable", False), row.get("after", ""),
                   tuple(row.get("status", ())))

    @property
    def name(self) -> str:
        return f"{self.causes[0]} {self.where}"

    def met_by(self, finding: Mapping[str, Any]) -> bool:
        """Whether a finding, as `analyze --json` has it, is about this defect: its cause, at its place."""
        return finding["cause"] in self.causes and bool(re.search(
            rf"(?<!\w){re.escape(self.where)}(?![\w/])", str(finding["place"])))

    def objection(self, line: Line) -> str:
        """What is wrong with the answer that a fix of it gives; empty when nothing is."""
        answer = sent(self.after, line) if self.after else None
        wrong = self.after and (answer is None or answer.status not in self.status)
        return f"{self.after} answers {answer.status if answer else 'nothing'}" if wrong else ""


@dataclass(frozen=True)
class App:
    """One app, as it stands in `folder`; without one a checkout of somebody else's at `checkout`."""

    name: str
    folder: Path
    planted: tuple[Planted, ...]
    also: tuple[Planted, ...]
    acceptance: tuple[Mapping[str, Any], ...]
    visits: tuple[str, ...]
    database: str

    @classmethod
    def read(cls, folder: Path) -> App:
        said = tomllib.loads((folder / "planted.toml").read_text("utf-8"))
        return cls(folder.name, folder, tuple(map(Planted.read, said.get("planted", ()))),
                   tuple(map(Planted.read, said.get("also", ()))), tuple(said.get("acceptance", ())),
                   tuple(said.get("visits", ())), said.get("database", ""))

    def write(self, repository: Path, *, clean: bool) -> None:
        """The app's files, with its defects or without."""
        aside = shutil.ignore_patterns("__pycache__", "node_modules", "*.pyc")
        shutil.copytree(self.folder / "app", repository, ignore=aside)
        if clean:
            shutil.copytree(self.folder / "clean", repository, ignore=aside, dirs_exist_ok=True)

    def fill(self, data: Path) -> None:
        """Rows for the database of live, which begins empty."""
        if self.database:
            with closing(sqlite3.connect(data / self.database, timeout=30)) as database:
                database.executescript((self.folder / "fill.sql").read_text("utf-8"))
                database.commit()

    def objections(self, line: Line) -> Iterator[str]:
        """What the app does not do any more."""
        for each in self.acceptance:
            answer = sent(each["send"], line)
            if answer is None or answer.status != each["status"]:
                yield f"{each['send']} answers {answer.status if answer else 'nothing'}, not {each['status']}"
            elif wrong := [*_unlike(answer, each.get("json", {})), *_unsaid(answer, each.get("says", ()))]:
                yield f"{each['send']}: {'; '.join(wrong)}"


def apps(names: Sequence[str] = ()) -> list[App]:
    """The apps of these names, all when none is named."""
    return [App.read(file.parent) for file in sorted(APPS.glob("*/planted.toml"))
            if not names or file.parent.name in names]


def sent(words: str, line: Line) -> Answer | None:
    """The answer to `METHOD /path JSON`."""
    method, path, *body = words.split(" ", 2)
    return Request(method, path, body[0] if body else "").send(line)


def _unlike(answer: Answer, wanted: Mapping[str, Any]) -> Iterator[str]:
    document = answer.json()
    for key, value in wanted.items():
        if not isinstance(document, dict) or document.get(key) != value:
            yield f"{key} is {document.get(key) if isinstance(document, dict) else document!r}, not {value!r}"


def _unsaid(answer: Answer, wanted: Sequence[str]) -> Iterator[str]:
    text = answer.body.decode("utf-8", "replace")
    yield from (f"it does not say {words}" for words in wanted if words not in text)
