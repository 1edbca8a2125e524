"""A Django project: found by its manage.py, with its settings, its database and its server."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from aiimprove.recognition import databases, python_packages, routes, suites
from aiimprove.recognition.python import server_note, with_data
from aiimprove.recognition.python_packages import Packages
from aiimprove.recognition.seen import Seen, Service
from aiimprove.recognition.sources import Sources
from aiimprove.recognition.variables import Variable, variables

MODULE = "settings_of_a_release"
_SETTINGS = re.compile(r"DJANGO_SETTINGS_MODULE['\"]\s*,\s*['\"]([\w.]+)['\"]")
_UPLOADS = re.compile(r"^([A-Z][A-Z_]+)\s*=\s*[^\n]*BASE_DIR[^\n]*['\"](?:data|media|uploads)\b", re.MULTILINE)
_HOSTS = re.compile(r"^ALLOWED_HOSTS\s*=\s*\[(.*?)\]", re.MULTILINE | re.DOTALL)
_SQLITE = re.compile(r"['\"]NAME['\"]\s*:\s*(.+?),?\s*\n")


def manage(at: Sources) -> str:
    """The project's manage.py; empty when there is none."""
    near = (path for path in at.named("manage.py") if path.count("/") <= 2)
    return next((path for path in near if _SETTINGS.search(at.text(path))), "")


def recognise(at: Sources, name: str) -> Service | None:
    path = manage(at)
    named = _SETTINGS.search(at.text(path))
    if not path or named is None:
        return None
    root, settings = path.rpartition("/")[0], named[1]
    packages = python_packages.recognise(at)
    if not packages.files:
        packages = packages.plus("django", "no file names the packages; put all of them into requirements.txt")
    tests, packages = suites.python(at, packages, settings)
    pages = routes.pages(at)
    values = {**packages.values(), "start": _start(at, path, settings, packages),
              "migrate": Seen(["{python}", path, "migrate", "--noinput"], at.where(path)), **tests}
    env = {"PYTHONPATH": Seen(f"{{folder}}/{root}", at.where(path))} if root else {}
    service = Service(name, at.prefix.rstrip("/") or ".", "Django", values, env, health=routes.health(pages),
                      pages=pages, notes=tuple(_debugging(at, settings_files(at, settings, root))))
    return _with_database(at, service, settings, root, packages)


def _debugging(at: Sources, files: list[str]) -> Iterator[str]:
    for file in files:
        if re.search(r"^DEBUG\s*=\s*True", at.text(file), re.MULTILINE) and "dev" not in file and "local" not in file:
            yield (f"{at.where(file, at.line_of(file, 'DEBUG'))}: DEBUG is on for live too, which shows visitors the "
                   "insides of errors; let a variable say it, as in os.environ.get(\"DEBUG\") == \"1\"")


def _start(at: Sources, path: str, settings: str, packages: Packages) -> Seen:
    project = settings.partition(".settings")[0]
    served = {"gunicorn": ["gunicorn", f"{project}.wsgi:application", "--bind", "127.0.0.1:{port}", "--threads", "8",
                           "--keep-alive", "75"],
              "uvicorn": ["uvicorn", f"{project}.asgi:application", "--host", "127.0.0.1", "--port", "{port}",
                          "--timeout-keep-alive", "75"],
              "daphne": ["daphne", "-b", "127.0.0.1", "-p", "{port}", f"{project}.asgi:application"]}
    for server, words in served.items():
        if packages.has(server):
            return Seen(["{python}", "-m", *words], f"{server} is among its packages")
    return Seen(["{python}", path, "runserver", "--noreload", "127.0.0.1:{port}"],
                f"{at.where(path)}; Django's own server, since its packages hold no other: with gunicorn among them, "
                "write gunicorn here")


def _with_database(at: Sources, service: Service, settings: str, root: str, packages: Packages) -> Service:
    known, files = variables(at), settings_files(at, settings, root)
    own = [each for each in known if each.path in files]
    found = [each for each in databases.find(at, own, Packages("", (), frozenset(), (), "")) if each.variable]
    text = "\n".join(at.text(file) for file in files)
    if not found and "django.db.backends.sqlite3" in text:
        return with_data(at, _moved(at, service, settings, root, files), known, ())
    if not found and (server := next((kind for kind in ("postgresql", "mysql") if f"backends.{kind}" in text), "")):
        file = next(file for file in files if f"backends.{server}" in at.text(file))
        where = at.where(file, at.line_of(file, f"backends.{server}"))
        kind = {"postgresql": "PostgreSQL", "mysql": "MySQL"}[server]
        service = replace(service, notes=(*service.notes, server_note(databases.Database(kind, where=where))))
    return with_data(at, _hosted(at, service, own), known, found)


def settings_files(at: Sources, settings: str, root: str) -> list[str]:
    """The files of the settings: the module, and those beside it in a package of settings."""
    path = "/".join([*([root] if root else []), *settings.split(".")])
    if at.has(f"{path}.py"):
        folder = path.rpartition("/")[0]
        beside = [each for each in at.files if each.rpartition("/")[0] == folder and each.endswith(".py")]
        return [f"{path}.py", *(beside if folder.endswith("settings") else [])]
    return [each for each in at.files if each.startswith(f"{path}/") and each.endswith(".py")]


def _moved(at: Sources, service: Service, settings: str, root: str, files: list[str]) -> Service:
    """Settings that fix the place of the database get a module around them, made at build: a release is not written."""
    file = next(each for each in files if "django.db.backends.sqlite3" in at.text(each))
    written = _SQLITE.search(at.text(file)[at.text(file).find("django.db.backends.sqlite3"):]) or _SQLITE.search(
        at.text(file))
    name = databases.file_of(re.findall(r"['\"]([^'\"]+)['\"]", written[1])) if written else ""
    name, where = name or "db.sqlite3", at.where(file, at.line_of(file, written[0].strip()) if written else 0)
    target = f"{root}/{MODULE}.py" if root else f"{MODULE}.py"
    code = f'''
open("{target}", "w").write("""
import os
from {settings} import *
DATABASES["default"]["NAME"] = os.environ["DATA_FOLDER"] + "/{name}"
{_others(at, files)}{_folders(at, files)}{_open_hosts(at, files)}""")
'''
    build = Seen(["{python}", "-c", code], f"{where} puts the database beside the code, which a release may not write. "
                 f"This makes a module in the release that takes all of {settings} and moves the database")
    env = {"DJANGO_SETTINGS_MODULE": Seen(MODULE, "made by build, above"),
           "DATA_FOLDER": Seen("{data}", "read by that module")}
    values = {**service.values, "build": build, "databases": Seen([name], where)}
    return replace(service, values=values, env={**service.env, **env},
                   test_env={**service.test_env, "DJANGO_SETTINGS_MODULE": Seen(settings, "tests run without a build")})


def _others(at: Sources, files: list[str]) -> str:
    """Further SQLite files that a setting has, such as the one of a queue of tasks."""
    return "".join(f'{name}["{key}"] = os.environ["DATA_FOLDER"] + "/{file}"\n'
                   for name, key, file in dict.fromkeys(_kept(at, files)))


def _kept(at: Sources, files: list[str]) -> Iterator[tuple[str, str, str]]:
    """Setting, key and name of each SQLite file beside the code, but for the databases."""
    for node in (node for file in files if (tree := at.tree(file)) for node in tree.body):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            for key, given in zip(node.value.keys, node.value.values, strict=True):
                texts = [each.value for each in ast.walk(given) if isinstance(each, ast.Constant)]
                file = databases.file_of([each for each in texts if isinstance(each, str)])
                if isinstance(key, ast.Constant) and file and isinstance(given, (ast.Call, ast.BinOp)):
                    yield ast.unparse(node.targets[0]), str(key.value), file


def _folders(at: Sources, files: list[str]) -> str:
    """Folders of uploads and the like are moved as well, and made."""
    names = dict.fromkeys(match[1] for file in files for match in _UPLOADS.finditer(at.text(file)))
    return "".join(f'''{name} = os.environ["DATA_FOLDER"] + str({name}).removeprefix(str(BASE_DIR))
os.makedirs({name}, exist_ok=True)
''' for name in names)


def _open_hosts(at: Sources, files: list[str]) -> str:
    """Health is asked at 127.0.0.1, which must be among the hosts when any are named."""
    hosts = next((match[1] for file in files if (match := _HOSTS.search(at.text(file)))), "")
    closed = hosts.strip() and "127.0.0.1" not in hosts and "*" not in hosts
    return 'ALLOWED_HOSTS = [*ALLOWED_HOSTS, "127.0.0.1", "localhost"]\n' if closed else ""


def _hosted(at: Sources, service: Service, own: Sequence[Variable]) -> Service:
    """A variable that names the hosts names ours."""
    named = next((each for each in own if each.goes_to == "ALLOWED_HOSTS"), None)
    if named is None:
        return service
    return replace(service, env={**service.env, named.name: Seen("127.0.0.1,localhost", f"read in {named.where}")})
