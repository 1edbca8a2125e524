"""init: a stranger's repository gets its config.toml, and proof that what it says starts. Nothing else is touched."""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from os import getuid
from pathlib import Path
from pwd import getpwuid

from aiimprove import atomic, config, journal, process, recognition
from aiimprove.config import FILE
from aiimprove.errors import BuildFailed, Refused
from aiimprove.first_start import Candidates, FirstStart, Found, first_start
from aiimprove.recognition import interpreters, template
from aiimprove.recognition.causes import UNKNOWN
from aiimprove.recognition.given import can_be_made
from aiimprove.recognition.seen import Recognised, Seen, Service
from aiimprove.repository import Repository
from aiimprove.workspace import Workspace

Ask = Callable[[str], str]
"""Asks a person for a line; empty when they do not know either."""

_PLACE = re.compile(r"DATABASE|DB_|REDIS|BROKER|DSN|MONGO|POSTGRES|_UR[LI]$")
_FIRST = "git init && git add -A && git commit -m first"


@dataclass(frozen=True)
class Introduced:
    """What init did: the file that it wrote, what it recognised, and how the first start went (None: not tried).
    `notes` are sentences for a person, the most important first."""

    file: Path
    app: Recognised
    start: FirstStart | None
    notes: tuple[str, ...]


def repository_here() -> Path:
    """The top of the repository that we are in. Raises Refused, with the command that makes one."""
    start = config.here()
    top = next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), None)
    if top is None:
        raise Refused(f"{start} is not in a git repository: '{_FIRST}' makes it one. A release is made of a commit")
    return top


def introduce(top: Path, progress: Callable[[str], None], ask: Ask | None = None, *, start: bool = True) -> Introduced:
    """Recognise the app in HEAD, start it once, and write config.toml.

    `ask` is asked for what the files do not say. Raises Refused, before anything is written: for a file that is there,
    a repository without a commit, or an app that is not recognised.
    """
    file = top / FILE
    if file.exists() or file.is_symlink():
        raise Refused(f"{file} is there already, and init never writes over a file: 'aiimprove up' starts what it "
                      "says; to have the app recognised anew, move it away first")
    repository = Repository(top)
    commit = repository.resolve("HEAD")
    app = _recognised(repository, commit, top, progress)
    if ask is not None:
        app = replace(app, services=tuple(_answered(each, ask) for each in app.services))
    live_env = _env_file(app, config.state_folder(str(app.name.value), top, {}).name)
    tried = _try(template.text(app, live_env), file, app, commit, progress) if start else None
    app = _learned(app, tried.found if tried else {})
    _write(file, template.text(app, live_env))
    return Introduced(file, app, tried, tuple(_notes(app, top, live_env)))


def _recognised(repository: Repository, commit: str, top: Path, progress: Callable[[str], None]) -> Recognised:
    progress(f"looking at commit {commit[:12]}")
    with tempfile.TemporaryDirectory(prefix="aiimprove-init-") as scratch:
        repository.export(commit, Path(scratch))
        app = recognition.recognise(Path(scratch), top.name, lambda port: process.port_holder(port) is not None)
    if not app.services:
        raise Refused(f"commit {commit[:12]} holds nothing that init can start (FastAPI, Flask, Django and "
                      "other ASGI or WSGI apps; Next.js, Vite, Express and other Node servers; pages). What is "
                      f"not committed does not count. {FILE} can be written by hand too: docs/config.md of aiimprove")
    home = Path(getpwuid(getuid()).pw_dir)
    return replace(app, services=tuple(interpreters.found(each, home) for each in app.services))


def _answered(service: Service, ask: Ask) -> Service:
    """What only a person knows: values of variables that are no secrets, which have a file of their own."""
    env, missing = dict(service.env), dict(service.missing)
    for name, seen in service.missing.items():
        question = f"{name} is needed by {service.name} ({seen.where}). Its value (empty: later): "
        if name not in service.dev_env and (value := ask(question).strip()):
            env[name] = Seen(value, f"answered; {seen.where} needs it")
            del missing[name]
    return replace(service, env=env, missing=missing)


def _env_file(app: Recognised, name: str) -> str:
    """Live's secrets, where the app needs any: a file outside the repository, with random ones where any text will do.
    What is in it already stays. Its path as the config has it; empty when none is needed."""
    wanted = {variable: seen for service in app.services for variable, seen in service.missing.items()
              if variable in service.dev_env}
    if not wanted:
        return ""
    path = f"~/.config/aiimprove/{name}.env"
    rows = [f"{variable}={secrets.token_hex(32)}" if can_be_made(variable) else
            f"# {seen.where} needs it; take the '#' away and put in the value\n# {variable}="
            for variable, seen in wanted.items()]
    atomic.make_once(Path(path).expanduser(), ("\n".join(rows) + "\n").encode())
    return path


def _try(text: str, file: Path, app: Recognised, commit: str, progress: Callable[[str], None]) -> FirstStart:
    blocked = next((f"{each.name}: {each.blocked}" for each in app.services if each.blocked), "")
    if blocked:
        return FirstStart(problem="it was not started: an app that chooses its port by itself cannot run twice",
                          causes=(blocked,), code="not_healthy")
    settings = config.parse(text, file)
    journal.open_journal(settings.logs_folder)
    asked = {each.name: Candidates(each.health, each.pages, str(each.values["openapi"].value)
                                   if "openapi" in each.values else "") for each in app.services}
    tried = first_start(Workspace(settings, "init", progress), commit, asked)
    unset = [f"{name} has no value yet, and {each.name} needs it ({seen.where})" for each in app.services
             for name, seen in each.missing.items() if name not in each.dev_env and tried.code != BuildFailed.code]
    known = [each for each in tried.causes if not unset or not each.startswith(UNKNOWN)]
    return replace(tried, causes=(*unset, *known)) if tried.problem else tried


def _learned(app: Recognised, found: Mapping[str, Found]) -> Recognised:
    return replace(app, services=tuple(_seen(each, found.get(each.name)) for each in app.services))


def _seen(service: Service, found: Found | None) -> Service:
    values = dict(service.values)
    if found is None:
        return replace(service, values={**values, "health": Seen(service.health[0], "it was not asked", guess=True)})
    if not found.openapi:
        values.pop("openapi", None)
    else:
        values["openapi"] = Seen(found.openapi, "it answered when init started it")
    values["health"] = Seen(found.health, "answered 200 when init started it")
    if found.pages:
        values["smoke"] = Seen(list(found.pages), "answered well on empty data; must answer before a release may serve")
    return replace(service, values=values)


def _write(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise Refused(f"{file} was written by somebody else meanwhile: nothing was changed") from None


def _notes(app: Recognised, top: Path, live_env: str) -> list[str]:
    """What a person has to know or to do, beyond what went wrong."""
    notes = [f"{each.name}: {note}" for each in app.services for note in (*each.notes,)]
    for each in app.services:
        unset = [name for name in each.missing if name not in each.dev_env and not _PLACE.search(name)]
        places = [name for name in each.missing if name not in each.dev_env and _PLACE.search(name)]
        late = [name for name in each.missing if name in each.dev_env and not can_be_made(name)]
        if unset:
            notes.append(f"{each.name} needs {', '.join(unset)}: write the value into [services.{each.name}.env]")
        if places:
            notes.append(f"{each.name} needs {', '.join(places)}: put live's into the file of env_file.live, and "
                         "another one, which may be written to, into that of env_file.dev for copies and proofs")
        if late:
            notes.append(f"{each.name} needs {', '.join(late)}: put the value into {live_env} before 'aiimprove up'; "
                         "copies and proofs get a made-up one")
    notes += [f"live's secrets are in {live_env} (mode 0600), made at random"] if live_env else []
    return [*notes, *app.notes, *_left_data(app, top)]


def _left_data(app: Recognised, top: Path) -> list[str]:
    """Databases of the working tree are not live's data: live begins with an empty one."""
    said = []
    for service in app.services:
        listed = service.values["databases"].value if "databases" in service.values else []
        for name in listed if isinstance(listed, list) else []:
            places = [top / service.folder / inner / name for inner in ("", "instance", "data", "db")]
            here = next((place for place in places if place.is_file()), None)
            if here is not None:
                state = config.parse(template.text(app), top / FILE).state_folder
                said.append(f"{here.relative_to(top)} of your working tree is not live's data, which begins empty. To "
                            f"begin with it: mkdir -p {state}/data/live && cp {here} {state}/data/live/{name}")
    return said
