"""How a Python app is served on a port that is given to it, and how its database is brought up to it."""

from __future__ import annotations

import re
from dataclasses import replace

from aiimprove.recognition.python_apps import App
from aiimprove.recognition.python_packages import Packages
from aiimprove.recognition.seen import Seen
from aiimprove.recognition.sources import Sources

_PYTHON = ["{python}", "-m"]
_INIT = re.compile(r"@(?:\w+\.)*command\(\s*['\"]((?:init|create|setup)[-_]?(?:db|database|tables)?)['\"]")
_BARE = re.compile(r"@(?:\w+\.)*cli\.command\(\s*\)\s*\n(?:@.*\n)*def ((?:init|create)_?(?:db|database|tables))\(")


def start(app: App, packages: Packages) -> tuple[Seen, Packages]:
    """The words that serve it, and the packages with the server when no file asks for one."""
    serve = _asgi if app.asgi else _wsgi
    return serve(app, packages)


def _asgi(app: App, packages: Packages) -> tuple[Seen, Packages]:
    if packages.has("hypercorn") and not packages.has("uvicorn"):
        words = ["hypercorn", f"{app.target}()" if app.factory else app.target, "--bind", "127.0.0.1:{port}",
                 "--keep-alive", "75"]
        return Seen([*_PYTHON, *words], app.where), packages
    words = ["uvicorn", app.target, *(["--factory"] if app.factory else []), "--host", "127.0.0.1", "--port", "{port}",
             "--timeout-keep-alive", "75", "--no-access-log"]
    return Seen([*_PYTHON, *words], app.where), packages.plus("uvicorn", "it needs a server, and no file names one")


def _wsgi(app: App, packages: Packages) -> tuple[Seen, Packages]:
    called = f"{app.target}()" if app.factory and not app.called else app.target
    if packages.has("gunicorn"):
        words = ["gunicorn", called, "--bind", "127.0.0.1:{port}", "--workers", "1", "--threads", "8", "--keep-alive",
                 "75"]
        return Seen([*_PYTHON, *words], f"{app.where}; gunicorn is among its packages"), packages
    if packages.has("waitress"):
        words = ["waitress", "--listen=127.0.0.1:{port}", *(["--call"] if app.factory else []), app.target]
        return Seen([*_PYTHON, *words], f"{app.where}; waitress is among its packages"), packages
    if app.framework == "Flask":
        words = ["flask", "--app", app.target, "run", "--host", "127.0.0.1", "--port", "{port}"]
        return Seen([*_PYTHON, *words], f"{app.where}; Flask's own server, since its packages hold no other: with "
                                        "gunicorn among them, write gunicorn here"), packages
    words = ["gunicorn", called, "--bind", "127.0.0.1:{port}", "--threads", "8", "--keep-alive", "75"]
    return Seen([*_PYTHON, *words], app.where), packages.plus("gunicorn", "it needs a server, and no file names one")


def migrate(at: Sources, app: App, packages: Packages, database: str) -> dict[str, Seen]:
    """The keys that bring the database up to a release: by Flask-Migrate, Alembic, a script, or once by `init-db`."""
    if packages.has("flask-migrate") and at.named("alembic.ini", "env.py"):
        where = at.where(at.named("env.py", "alembic.ini")[0])
        folder = where.removeprefix(at.prefix).partition("/")[0]
        words = [*_PYTHON, "flask", "--app", app.target, "db", "upgrade", "-d", f"{{folder}}/{folder}"]
        return {"migrate": Seen(words, f"Flask-Migrate: {where}")}
    alembic = next((each for each in at.named("alembic.ini") if each.count("/") <= 2), "")
    if alembic:
        chosen = ["-c", alembic] if "/" in alembic else []
        return {"migrate": Seen([*_PYTHON, "alembic", *chosen, "upgrade", "head"], f"Alembic: {at.where(alembic)}")}
    return _plain(at) or (_once(at, app, database) if app.framework == "Flask" else {})


def alembic_in_data(at: Sources, migrate: Seen) -> Seen:
    """Alembic for a database in the working directory: its scripts are looked for there, and so are shown there."""
    words = migrate.value if isinstance(migrate.value, list) else []
    ini = words[words.index("-c") + 1] if "-c" in words else "alembic.ini"
    found = re.search(r"^script_location\s*=\s*([\w./-]+)\s*$", at.text(ini), re.MULTILINE)
    scripts = found[1].rstrip("/") if found else ""
    link = ["sh", "-c", f'ln -sfn "$0" {scripts} && exec "$@"', f"{{folder}}/{scripts}"] if scripts else []
    return replace(migrate, value=["env", "--chdir={data}", *link, *_PYTHON, "alembic", "-c", f"{{folder}}/{ini}",
                                   "upgrade", "head"])


def _plain(at: Sources) -> dict[str, Seen]:
    """Numbered SQL files, and the script that runs them."""
    numbered = [path for path in at.ending(".sql") if re.match(r"^\d+", path.rpartition("/")[2]) and "/" in path]
    script = next((path for path in at.named("migrate.py", "migrations.py") if path.count("/") <= 1), "")
    if not numbered or not script:
        return {}
    folder = numbered[0].rpartition("/")[0]
    return {"migrate": Seen(["{python}", script], at.where(script)),
            "migrations": Seen(folder, f"numbered SQL: {at.where(numbered[0])}")}


def _once(at: Sources, app: App, database: str) -> dict[str, Seen]:
    """`flask init-db` may drop what is there: only where there is no database yet."""
    for path, _ in at.python() if database else ():
        found = _INIT.search(at.text(path)) or _BARE.search(at.text(path))
        if found:
            command = found[1] if found.re is _INIT else found[1].replace("_", "-")
            words = ["sh", "-c", 'test -e "$0" || exec "$@"', f"{{data}}/{database}", *_PYTHON, "flask", "--app",
                     app.target, command]
            return {"migrate": Seen(words, f"{at.where(path, at.line_of(path, found[0].splitlines()[0]))}; only where "
                                           "there is no database yet, it may drop what is there")}
    return {}
