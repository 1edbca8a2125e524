"""A Python web service: FastAPI, Flask and their relatives, as ASGI or WSGI, or a script that serves by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from aiimprove.recognition import databases, given, python_apps, python_packages, python_servers, routes, suites
from aiimprove.recognition.commands import Line, start_lines
from aiimprove.recognition.databases import Database
from aiimprove.recognition.python_apps import App
from aiimprove.recognition.seen import Seen, Service
from aiimprove.recognition.sources import Sources
from aiimprove.recognition.variables import Variable, variables

_NEAR = re.compile(r"(?:Jinja2Templates\(|directory\s*=\s*|open\(|Path\()['\"](?![/.]?['\"])(?!/)[\w.][^'\"]*['\"]"
                   r"(?!,\s*['\"][wax])")
_WRITTEN = re.compile(r"(?:os\.(?:mkdir|makedirs)|FileHandler)\(\s*['\"](?!/)[\w.]"
                      r"|\bopen\(['\"](?!/)[^'\"]+['\"],\s*['\"][wa]")
_STDOUT = ("LOG_TO_STDOUT", "LOG_STDOUT", "LOG_TO_CONSOLE")
_SAID = {"Flask": "flask", "FastAPI": "fastapi", "Starlette": "starlette", "Quart": "quart", "Litestar": "litestar",
         "Sanic": "sanic", "Bottle": "bottle"}


def recognise(at: Sources, name: str) -> Service | None:
    """The service that a folder of Python is; None when nothing in it serves."""
    lines = start_lines(at)
    app = python_apps.find(at, lines)
    if app is None:
        return script(at, name, lines)
    packages = python_packages.recognise(at)
    if not packages.files:
        packages = packages.plus(_SAID[app.framework], "no file names the packages; put all of them into "
                                                       "requirements.txt")
    known = variables(at)
    found = databases.find(at, known, packages)
    app, found = _told(app, found)
    start, packages = python_servers.start(app, packages)
    tests, packages = suites.python(at, packages)
    file = next((each.file for each in found if each.file), "")
    values = {**packages.values(), "start": start, **python_servers.migrate(at, app, packages, file), **tests}
    if app.framework == "FastAPI":
        values["openapi"] = Seen("/openapi.json", "FastAPI's own", guess=True)
    if any("instance_path" in at.text(path) and "makedirs" in at.text(path) for path in at.ending(".py")):
        values["build"] = Seen(["mkdir", "-p", f"{app.root or '.'}/instance"],
                               "the code makes this folder at its start, when a release cannot be written")
    pages = routes.pages(at)
    service = Service(name, at.prefix.rstrip("/") or ".", app.framework, values, health=routes.health(pages),
                      pages=pages)
    return with_data(at, _rooted(service, app), known, found)


def _told(app: App, found: list[Database]) -> tuple[App, list[Database]]:
    """A function that takes a mapping of settings is told in it where the database is."""
    near = next((each for each in found if each.beside == "the instance folder" and each.setting), None)
    if near is None or not app.takes_settings:
        return app, found
    place = f"sqlite:///{{data}}/{near.file}" if "sqlite:" in near.written else f"{{data}}/{near.file}"
    return replace(app, called=f"({{'{near.setting}': '{place}'}})"), [
        replace(each, beside="") if each is near else each for each in found]


def _rooted(service: Service, app: App) -> Service:
    env = {}
    if app.framework == "Flask":  # a debugger on a public port would run what visitors type; .flaskenv may ask for it
        env["FLASK_DEBUG"] = Seen("0", "never a debugger for visitors")
    if app.root:
        env["PYTHONPATH"] = Seen(f"{{folder}}/{app.root}", f"modules are named from {app.root}/")
    return replace(service, env=env)


def with_data(at: Sources, service: Service, known: Sequence[Variable], found: Sequence[Database]) -> Service:
    """The service with its databases below {data}, its variables, and what has to be said about both."""
    env, notes, values = dict(service.env), list(service.notes), dict(service.values)
    needed = {each.variable: Seen("", each.where) for each in found if each.kind != "SQLite" and each.variable}
    for each in found:
        if each.kind != "SQLite":
            notes.append(server_note(each))
        elif each.env:
            env |= each.env
        elif not each.beside:
            continue
        elif each.beside == "the working directory" and not _reads_beside(at):
            env.setdefault("PYTHONPATH", Seen("{folder}", "it is started elsewhere"))
            place = f"{each.where} has {each.file} in the working directory"
            values |= {key: _in_data(values[key], place) for key in ("start", "migrate") if key in values}
            if "alembic" in str(values["migrate"].value if "migrate" in values else ""):
                values["migrate"] = python_servers.alembic_in_data(at, values["migrate"])
        else:
            notes.append(_fixed_note(each))
    env |= {each.name: Seen("1", f"read in {each.where}; what it prints is kept") for each in known
            if each.name in _STDOUT}
    place = next((f"{at.where(path, at.line_of(path, match[0]))} writes there" for path in at.ending(".py")
                  if (match := _WRITTEN.search(at.text(path)))), "")
    if place and "--chdir={data}" not in str(values["start"].value) and not _reads_beside(at):
        env.setdefault("PYTHONPATH", Seen("{folder}", "it is started elsewhere"))
        values |= {key: _in_data(values[key], place) for key in ("start", "migrate") if key in values
                   and "alembic" not in str(values[key].value)}
    files = [each.file for each in found if each.file and each.kind == "SQLite"]
    if files:
        values["databases"] = Seen(list(dict.fromkeys(files)), "; ".join(each.where for each in found if each.file))
    got = given.give(at, known, env)
    return replace(service, values=values, env={**env, **got.env}, missing={**needed, **got.missing},
                   notes=tuple(notes), dev_env={**service.dev_env, **got.dev_env},
                   test_env={**service.test_env, **got.dev_env})


def _in_data(start: Seen, why: str) -> Seen:
    """The same words in the folder of the data."""
    words = start.value if isinstance(start.value, list) else []
    return replace(start, value=["env", "--chdir={data}", *words], where=f"{start.where}; started in {{data}}: {why}")


def _reads_beside(at: Sources) -> bool:
    """Whether anything else is looked for in the working directory: templates, files."""
    return any(_NEAR.search(at.text(path)) for path in at.ending(".py"))


def _fixed_note(found: Database) -> str:
    url = "sqlite" in found.written and "://" in found.written
    variable = "DATABASE_URL" if url else "DATABASE_FILE"
    value = f"sqlite:///{{data}}/{found.file}" if url else f"{{data}}/{found.file}"
    return (f"{found.where} puts {found.file} beside {found.beside}, where a release cannot be written. Let a variable "
            f"say where it is, os.environ.get(\"{variable}\", ...what stands there now...), commit that, and put "
            f"{variable} = \"{value}\" into the env table of this service")


def server_note(found: Database) -> str:
    """What works with a database server today."""
    said = f"through {found.variable} " if found.variable else ""
    return (f"The data is in {found.kind} ({said}seen in {found.where}). aiimprove clones, backs up and rehearses "
            "migrations on SQLite files only. Deploys, the canary, rollbacks and proofs of answers work; but the "
            "development copy, detectors and proofs use and write to the database that env_file.dev names, as it is: "
            "give them one of their own, never live's. Migrations run on live without a rehearsal and a backup")


def script(at: Sources, name: str, lines: Sequence[Line]) -> Service | None:
    """A program that serves by itself: with an address of its own, from PORT, or by an option."""
    named = ((match[1], line.where) for line in lines if (match := re.search(r"\bpython3?\s+(\S+\.py)\b", line.text)))
    path, where = next(((path, where) for path, where in named if at.has(path)), ("", ""))
    if not path:
        path = next((each for each in at.ending(".py") if re.search(
            r"serve_forever|run_app\(|\.listen\(|make_server\(", at.text(each))), "")
    if not path:
        return None
    words, note = _bound(at, path)
    packages = python_packages.recognise(at)
    tests, packages = suites.python(at, packages)
    pages = routes.pages(at)
    start = Seen(["{python}" if packages.files else "python3", path, *words], where or at.where(path))
    values = {**(packages.values() if packages.files else {}), "start": start, **tests}
    known = variables(at)
    service = Service(name, at.prefix.rstrip("/") or ".", "Python", values, health=routes.health(pages), pages=pages,
                      blocked=note)
    return with_data(at, service, known, databases.find(at, known, packages))


def _bound(at: Sources, path: str) -> tuple[list[str], str]:
    """The words that give a script its port, or the sentence that says that it takes none."""
    text = at.text(path)
    if re.search(r"['\"]--port['\"]", text):
        return ["--port", "{port}"], ""
    if re.search(r"environ.*['\"]PORT['\"]|getenv\(['\"]PORT['\"]", text):
        return [], ""
    if "sys.argv[1]" in text:
        return ["{port}"], ""
    fixed = re.search(r"(?:port\s*=\s*|,\s*|listen\()(\d{4,5})\b", text, re.IGNORECASE)
    where = at.where(path, at.line_of(path, fixed[0])) if fixed else at.where(path)
    port = fixed[1] if fixed else "8000"
    return [], (f"{where} listens on port {port}, fixed in the code; two releases run side by side during a deploy, "
                f"each on a port of its own. Write int(os.environ.get(\"PORT\", {port})) there, and commit it")
