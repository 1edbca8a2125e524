"""The lines with which people start an app: Procfile, Dockerfile, compose files, scripts, and pages for readers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from aiimprove.recognition.sources import Sources

_PAGES = ("README.md", "README.rst", "README.txt", "README", "Makefile", "justfile")
_COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_SCRIPTS = ("start.sh", "run.sh", "entrypoint.sh", "boot.sh", "docker-entrypoint.sh", "bootstrap.sh")


@dataclass(frozen=True)
class Line:
    """A command line, and the place in which it stands."""

    text: str
    where: str


def start_lines(at: Sources) -> list[Line]:
    """Every line that may start the app, the most telling first."""
    return [*_procfile(at), *_dockerfiles(at), *_compose(at), *_scripts(at), *_flaskenv(at), *_pages(at)]


def exposed_port(at: Sources) -> tuple[int, str]:
    """The port that a Dockerfile names, and where; 0 without one."""
    for path in at.named("Dockerfile"):
        found = re.search(r"^EXPOSE\s+(\d+)", at.text(path), re.MULTILINE)
        if found:
            return int(found[1]), at.where(path, at.line_of(path, found[0]))
    return 0, ""


def _procfile(at: Sources) -> Iterator[Line]:
    rows = [(row.partition(":"), number) for number, row in enumerate(at.text("Procfile").splitlines(), 1)]
    for (name, _, command), number in sorted(rows, key=lambda row: row[0][0] != "web"):
        if command.strip() and name.strip() not in ("release", "worker", "beat"):
            yield Line(command.strip(), at.where("Procfile", number))


def _dockerfiles(at: Sources) -> Iterator[Line]:
    for path in [each for each in at.files if each.rpartition("/")[2].startswith("Dockerfile")]:
        if path.count("/") > 1:
            continue
        text = at.text(path).replace("\\\n", " ")
        for found in reversed(list(re.finditer(r"^\s*(?:CMD|ENTRYPOINT)\s+(.+)$", text, re.MULTILINE))):
            yield Line(_words(found[1].strip()), at.where(path, at.line_of(path, found[0].strip()[:20])))


def _words(command: str) -> str:
    """The exec form is a list in JSON."""
    try:
        found = json.loads(command)
    except ValueError:
        return command
    return " ".join(map(str, found)) if isinstance(found, list) else command


def _compose(at: Sources) -> Iterator[Line]:
    for path in _COMPOSE:
        for found in re.finditer(r"^\s*command:\s*(.+)$", at.text(path), re.MULTILINE):
            yield Line(_words(found[1].strip().strip("'\"")), at.where(path, at.line_of(path, found[0].strip())))


def _scripts(at: Sources) -> Iterator[Line]:
    for path in [each for each in at.named(*_SCRIPTS) if each.count("/") <= 1]:
        for number, row in enumerate(at.text(path).splitlines(), 1):
            if re.search(r"uvicorn|gunicorn|flask|hypercorn|daphne|waitress|python|node ", row) and row[:1] != "#":
                yield Line(row.strip(), at.where(path, number))


def _flaskenv(at: Sources) -> Iterator[Line]:
    for number, row in enumerate(at.text(".flaskenv").splitlines(), 1):
        if row.strip().startswith("FLASK_APP="):
            yield Line(row.strip(), at.where(".flaskenv", number))


def _pages(at: Sources) -> Iterator[Line]:
    for path in _PAGES:
        for number, row in enumerate(at.text(path).splitlines(), 1):
            if re.search(r"\b(uvicorn|gunicorn|flask|fastapi|hypercorn|FLASK_APP)\b", row) and len(row) < 200:
                yield Line(row.strip().strip("`$ "), at.where(path, number))
