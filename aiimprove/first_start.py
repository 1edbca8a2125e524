"""The first start of an app that nobody has started before: built, on private ports, on empty data, in the box."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from aiimprove import build, probes
from aiimprove.answer import Answer
from aiimprove.errors import NotHealthy, ReleaseFailed
from aiimprove.journal import last_lines
from aiimprove.proving import Copy, running_copy
from aiimprove.recognition.causes import likely
from aiimprove.settings import Config
from aiimprove.workspace import Workspace

LOOK_SECONDS = 20.0
_ANSWER_SECONDS = 4.0
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_PAGES, _MOST_ASKED = 4, 25
_NO_PAGES = ("/docs", "/redoc", "/openapi.json", "/metrics", "/favicon.ico", "/docs/oauth2-redirect")


@dataclass(frozen=True)
class Candidates:
    """What a service may be asked: paths that may tell that it lives, and pages, the likely ones first."""

    health: Sequence[str]
    pages: Sequence[str] = ()
    openapi: str = ""


@dataclass(frozen=True)
class Found:
    """What a service answered: the first candidate with 200, its time, pages that answer well, and the path of its
    OpenAPI document if it has one."""

    health: str
    milliseconds: float
    pages: tuple[str, ...] = ()
    openapi: str = ""


@dataclass(frozen=True)
class FirstStart:
    """How it went. `problem` is empty when every service answered; `causes` are what it probably lacks."""

    found: Mapping[str, Found] = field(default_factory=dict)
    seconds: float = 0.0
    problem: str = ""
    causes: tuple[str, ...] = ()
    code: str = ""


def first_start(workspace: Workspace, commit: str, asked: Mapping[str, Candidates]) -> FirstStart:
    """Build the release of a commit as `up` does, and start it once. What goes wrong is told, not raised."""
    began, work = time.monotonic(), workspace.work("first-start")
    search = _Search(asked)
    try:
        release = build.build(workspace.config, workspace.repository, commit, workspace.box, workspace.progress,
                              trusted=True)
        workspace.progress("starting it on private ports, on empty data")
        (work / "nothing").mkdir(exist_ok=True)
        with running_copy(workspace.config, release, work / "nothing", work / "copy", workspace.box,
                          healthy=search.look):
            return FirstStart(dict(search.found), time.monotonic() - began)
    except ReleaseFailed as failed:
        return FirstStart(dict(search.found), time.monotonic() - began, str(failed), tuple(likely(str(failed))),
                          failed.code)
    finally:
        shutil.rmtree(work, ignore_errors=True)


class _Search:
    """Waits until every service answers, and finds out at which paths it answers well."""

    def __init__(self, asked: Mapping[str, Candidates]) -> None:
        self._asked = asked
        self.found: dict[str, Found] = {}

    def look(self, config: Config, copy: Copy) -> None:
        """Raises NotHealthy with the end of the log of the service that does not answer."""
        deadline = time.monotonic() + config.deploy.start_seconds
        for name, url in copy.urls.items():
            try:
                self.found[name] = _found(url, self._asked[name], copy, deadline)
            except NotHealthy as failed:
                raise NotHealthy(f"{name}: {failed}\n{last_lines(copy.logs[name])}".rstrip()) from None


def _found(url: str, asked: Candidates, copy: Copy, deadline: float) -> Found:
    _until_answers(url, copy, deadline)
    refused: dict[str, str] = {}
    ends = min(deadline, time.monotonic() + LOOK_SECONDS)
    waiting = list(dict.fromkeys(asked.health))[:_MOST_ASKED]
    for path in waiting:
        asked_at = time.monotonic()
        answer = _get(url + path)
        took = (time.monotonic() - asked_at) * 1000
        if answer is not None and answer.status == 200:
            openapi = _openapi(url, asked.openapi)
            pages = (*asked.pages, *openapi)
            return Found(path, took, tuple(_good(url, pages, path, ends)),
                         asked.openapi if openapi else "")
        refused[path] = str(answer.status) if answer else "nothing"
        waiting += [each for each in _leads_to(url, answer) if each not in waiting]
    said = ", ".join(f"{path} {status}" for path, status in list(refused.items())[:6])
    raise NotHealthy(f"it runs, but no path that was asked answered 200 ({said}): name one as 'health'")


def _leads_to(url: str, answer: Answer | None) -> list[str]:
    """The path that a redirection to the same service names."""
    if answer is None or answer.status not in _REDIRECTS:
        return []
    there = urlsplit(urljoin(url + "/", answer.headers.get("location", "")))
    return [there.path] if there.path and there.netloc in (urlsplit(url).netloc, "localhost") else []


def _until_answers(url: str, copy: Copy, deadline: float) -> None:
    """Until anything at all comes back over HTTP."""
    pause = threading.Event()
    while _get(url + "/") is None:
        if not copy.alive():
            raise NotHealthy("it ended before it answered")
        if time.monotonic() >= deadline:
            raise NotHealthy(f"nothing answered on its port ({url.rpartition(':')[2]}), though it runs: does it take "
                             "its port from PORT, or from its start command?")
        pause.wait(probes.PAUSE_SECONDS)


def _get(url: str) -> Answer | None:
    try:
        return probes.get(url, seconds=_ANSWER_SECONDS)
    except (probes.Unreachable, probes.Dropped):
        return None


def _openapi(url: str, path: str) -> list[str]:
    """The paths without parameters that an OpenAPI document lets one read, itself too; empty without a document."""
    answer = _get(url + path) if path else None
    try:
        known = json.loads(answer.body) if answer is not None and answer.status == 200 else {}
    except ValueError:
        return []
    if not isinstance(known, dict) or not isinstance(known.get("paths"), dict):
        return []
    return [*(each for each, methods in known["paths"].items() if "{" not in each and "get" in methods), path]


def _good(url: str, pages: Sequence[str], health: str, ends: float) -> Iterator[str]:
    """Pages that answer 2xx on empty data: a release may be asked for them before it serves."""
    kept = 0
    for path in list(dict.fromkeys(pages))[:_MOST_ASKED]:
        if path in (health, *_NO_PAGES) or " " in path or kept >= _MOST_PAGES or time.monotonic() > ends:
            continue
        answer = _get(url + path)
        if answer is not None and 200 <= answer.status < 300:
            kept += 1
            yield path
