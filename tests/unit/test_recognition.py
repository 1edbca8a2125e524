"""What init reads from the files of an app: nothing of it is run, and no two repositories look alike."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from aiimprove import config
from aiimprove.recognition import recognise, template
from aiimprove.recognition.causes import likely
from aiimprove.recognition.seen import Recognised, Seen, Service

FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/healthz')\ndef health(): return {}\n"
FLASK = "from flask import Flask\napp = Flask(__name__)\n@app.route('/')\ndef index(): return 'hello'\n"
FACTORY = "from flask import Flask\ndef create_app():\n    app = Flask(__name__)\n    return app\n"
MANAGE = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_of_ours.settings')\n"
SETTINGS = """from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
"""


def tree(folder: Path, files: dict[str, str]) -> Recognised:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return recognise(folder, "an app")


def one(folder: Path, files: dict[str, str]) -> Service:
    (found,) = tree(folder, files).services
    return found


def value(service: Service, key: str) -> object:
    return service.values[key].value


def words(service: Service, key: str = "start") -> str:
    found = value(service, key)
    assert isinstance(found, list)
    return " ".join(found)


def package(**keys: object) -> str:
    return json.dumps({"name": "shop", **keys})


# -- which app, and how it is served ------------------------------------------------------------------------------

@pytest.mark.parametrize(("files", "served", "root"), [
    ({"main.py": FASTAPI}, "uvicorn main:app", ""),
    ({"app/__init__.py": "", "app/main.py": FASTAPI}, "uvicorn app.main:app", ""),
    ({"app/main.py": "from app.db import x\n" + FASTAPI, "app/db.py": ""}, "uvicorn app.main:app", ""),
    ({"app/main.py": "from db import x\n" + FASTAPI, "app/db.py": ""}, "uvicorn main:app", "app"),
    ({"src/shop/__init__.py": "", "src/shop/web.py": FASTAPI}, "uvicorn shop.web:app", "src"),
    ({"server.py": FASTAPI.replace("app = ", "api: FastAPI = ").replace("@app", "@api")}, "uvicorn server:api", ""),
    ({"one.py": FASTAPI, "two.py": FASTAPI, "Procfile": "web: uvicorn two:app --port $PORT\n"}, "uvicorn two:app", ""),
    ({"one.py": FASTAPI, "two.py": FASTAPI, "Dockerfile": 'FROM x\nCMD ["uvicorn", "two:app"]\n'}, "uvicorn two:app",
     ""),
    ({"one.py": FASTAPI, "two.py": FASTAPI, "compose.yaml": "services:\n  a:\n    command: uvicorn two:app\n"},
     "uvicorn two:app", ""),
    ({"f.py": "from fastapi import FastAPI\ndef make():\n    return FastAPI()\n"}, "uvicorn f:make --factory", ""),
    ({"app.py": FLASK, "examples/app.py": FLASK}, "flask --app app:app run", ""),
    ({"shop/__init__.py": FACTORY}, "flask --app shop:create_app run", ""),
    ({"shop/__init__.py": FACTORY, "wsgi.py": "from shop import create_app\napplication = create_app()\n"},
     "flask --app wsgi:application run", ""),
    ({"a.py": FLASK, "b.py": FLASK, ".flaskenv": "FLASK_APP=b.py\n"}, "flask --app b:app run", ""),
    ({"app.py": FLASK, "requirements.txt": "Flask\ngunicorn==22\n"}, "gunicorn app:app", ""),
    ({"shop/__init__.py": FACTORY, "requirements.txt": "flask\ngunicorn\n"}, "gunicorn shop:create_app()", ""),
    ({"app.py": FLASK, "requirements.txt": "flask\nwaitress\n"}, "waitress --listen=127.0.0.1:{port} app:app", ""),
    ({"app.py": "from starlette.applications import Starlette\napp = Starlette(routes=[])\n"}, "uvicorn app:app", ""),
    ({"app.py": "from quart import Quart\napp = Quart(__name__)\n", "requirements.txt": "quart\nhypercorn\n"},
     "hypercorn app:app", "")])
def test_the_app_and_its_server(tmp_path: Path, files: dict[str, str], served: str, root: str) -> None:
    service = one(tmp_path, files)
    assert f"-m {served}" in words(service) and "{port}" in words(service)
    assert (f"{{folder}}/{root}" if root else None) == (
        service.env["PYTHONPATH"].value if "PYTHONPATH" in service.env else None)


def test_no_debugger_goes_live(tmp_path: Path) -> None:
    assert one(tmp_path, {"app.py": FLASK, ".flaskenv": "FLASK_DEBUG=1\n"}).env["FLASK_DEBUG"].value == "0"


def test_what_asks_for_parameters_makes_no_app(tmp_path: Path) -> None:
    asking = "from flask import Flask\ndef create_app(settings):\n    app = Flask(__name__)\n    return app\n"
    assert tree(tmp_path, {"shop/__init__.py": asking}).services == ()


def test_tests_and_examples_are_not_the_app(tmp_path: Path) -> None:
    files = {"tests/app.py": FLASK, "docs/app.py": FLASK, "shop/web.py": FASTAPI, "requirements.txt": "fastapi\n"}
    assert "shop.web:app" in words(one(tmp_path, files))


@pytest.mark.parametrize("folder", ["", "site/"])
def test_django_beside_or_below_its_requirements(tmp_path: Path, folder: str) -> None:
    service = one(tmp_path, {f"{folder}manage.py": MANAGE, f"{folder}site_of_ours/settings.py": SETTINGS,
                             "requirements.txt": "django\n"})
    assert service.framework == "Django" and value(service, "databases") == ["db.sqlite3"]
    assert words(service) == f"{{python}} {folder}manage.py runserver --noreload 127.0.0.1:{{port}}"
    assert words(service, "migrate") == f"{{python}} {folder}manage.py migrate --noinput"
    assert "from site_of_ours.settings import *" in words(service, "build")
    assert service.env["DJANGO_SETTINGS_MODULE"].value == "settings_of_a_release"
    assert service.test_env["DJANGO_SETTINGS_MODULE"].value == "site_of_ours.settings"


def test_django_whose_settings_read_variables(tmp_path: Path) -> None:
    settings = """import os
import dj_database_url
SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = os.environ.get("HOSTS", "").split(",")
DATABASES = {"default": dj_database_url.parse(os.environ.get("DATABASE_URL", "sqlite:///db.sqlite3"))}
"""
    service = one(tmp_path, {"manage.py": MANAGE, "site_of_ours/settings.py": settings,
                             "requirements.txt": "django\ngunicorn\n"})
    assert "-m gunicorn site_of_ours.wsgi:application" in words(service) and "build" not in service.values
    assert service.env["DATABASE_URL"].value == "sqlite:///{data}/db.sqlite3"
    assert service.env["HOSTS"].value == "127.0.0.1,localhost"
    assert "SECRET_KEY" in service.missing and "SECRET_KEY" in service.dev_env and "SECRET_KEY" not in service.env


def test_hosts_that_leave_ours_out_are_widened(tmp_path: Path) -> None:
    settings = SETTINGS + "ALLOWED_HOSTS = ['books.example.org']\nMEDIA_ROOT = BASE_DIR / 'media'\n"
    service = one(tmp_path, {"manage.py": MANAGE, "site_of_ours/settings.py": settings + "DEBUG = True\n"})
    build, (note,) = words(service, "build"), service.notes
    assert note.startswith("site_of_ours/settings.py:6: DEBUG is on for live too")
    assert '"127.0.0.1"' in build and 'MEDIA_ROOT = os.environ["DATA_FOLDER"]' in build


# -- packages -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("files", "locks", "install"), [
    ({"requirements.txt": "fastapi\nuvicorn\n"}, ["requirements.txt"], "-r requirements.txt"),
    ({"requirements.txt": "fastapi\nuvicorn\n", "requirements-dev.txt": "-r requirements.txt\npytest\n"},
     ["requirements-dev.txt", "requirements.txt"], "-r requirements-dev.txt"),
    ({"requirements/base.txt": "fastapi[standard]\n", "requirements/dev.txt": "-r base.txt\n"},
     ["requirements/dev.txt", "requirements/base.txt"], "-r requirements/dev.txt"),
    ({"requirements.txt": "-c pins.txt\nfastapi\nuvicorn\n", "pins.txt": "fastapi==0.1\n"},
     ["requirements.txt", "pins.txt"], "-r requirements.txt"),
    ({"pyproject.toml": "[project]\nname='a'\ndependencies=['fastapi','uvicorn']\n[dependency-groups]\ndev=['a']\n",
      "uv.lock": ""}, ["pyproject.toml", "uv.lock"], "{installer} --group dev"),
    ({"pyproject.toml": "[tool.poetry.dependencies]\npython='^3.11'\nfastapi='^0.1'\nuvicorn='*'\n"
      "[tool.poetry.group.test.dependencies]\npytest='*'\n", "poetry.lock": ""}, ["pyproject.toml", "poetry.lock"],
     "{installer} --group test"),
    ({"Pipfile": "[packages]\nfastapi='*'\nuvicorn='*'\n", "Pipfile.lock": "{}"}, ["Pipfile", "Pipfile.lock"],
     "{installer}"),
    ({"requirements.txt": "-e .\nuvicorn\n", "pyproject.toml": "[project]\nname='a'\ndependencies=['fastapi']\n"},
     ["requirements.txt", "pyproject.toml"], "{installer} -r requirements.txt"),
    ({"requirements.txt": "fastapi\n"}, ["requirements.txt"], "-r requirements.txt uvicorn"),
    ({"pyproject.toml": "[tool.ruff]\n"}, [], "install --quiet --disable-pip-version-check fastapi uvicorn")])
def test_python_packages(tmp_path: Path, files: dict[str, str], locks: list[str], install: str) -> None:
    service = one(tmp_path, {"main.py": FASTAPI, **files})
    assert value(service, "lock_files") == locks and words(service, "install").endswith(install)


@pytest.mark.parametrize(("files", "install"), [
    ({"package-lock.json": "{}"}, "npm ci --no-audit --no-fund"), ({}, "npm install --no-audit --no-fund"),
    ({"yarn.lock": ""}, "npx --yes --package yarn@1 yarn install --frozen-lockfile"),
    ({"pnpm-lock.yaml": ""}, "npx --yes --package pnpm@9 pnpm install --frozen-lockfile"),
    ({"bun.lock": ""}, "npx --yes --package bun@1 bun install --frozen-lockfile")])
def test_node_packages(tmp_path: Path, files: dict[str, str], install: str) -> None:
    server = {"package.json": package(dependencies={"express": "4"}), "index.js": "app.listen(process.env.PORT)"}
    service = one(tmp_path, {**server, **files})
    assert words(service, "install") == install and set(files) <= set(value(service, "lock_files"))  # type: ignore[call-overload]


# -- databases and variables --------------------------------------------------------------------------------------

@pytest.mark.parametrize(("code", "variable", "filled"), [
    ("URL = os.getenv('DATABASE_URL', 'sqlite:///./shop.db')", "DATABASE_URL", "sqlite:///{data}/shop.db"),
    ("URL = os.environ.get('DB') or 'sqlite+aiosqlite:///shop.db'", "DB", "sqlite+aiosqlite:///{data}/shop.db"),
    ("URL = os.environ.get('DB', '').replace('postgres:', 'x') or 'sqlite:///' + os.path.join(here, 'shop.db')", "DB",
     "sqlite:///{data}/shop.db"),
    ("def settings(environment):\n    return Path(environment.get('SHOP_DB', 'shop.db'))", "SHOP_DB", "{data}/shop.db"),
    ("PATH = os.environ.get('SHOP_DB', str(Path(__file__).parent / 'shop.sqlite3'))", "SHOP_DB", "{data}/shop.sqlite3"),
    ("class Settings(BaseSettings):\n    database_url: str = 'sqlite:///shop.db'", "DATABASE_URL",
     "sqlite:///{data}/shop.db"),
    ("class Settings(BaseSettings):\n    model_config = SettingsDict(env_prefix='SHOP_')\n    db: str = 'shop.db'",
     "SHOP_DB", "{data}/shop.db"),
    ("from decouple import config\nURL = config('DB_URL', default='sqlite:///shop.db')", "DB_URL",
     "sqlite:///{data}/shop.db")])
def test_a_variable_moves_the_database(tmp_path: Path, code: str, variable: str, filled: str) -> None:
    service = one(tmp_path, {"main.py": FASTAPI, "db.py": code})
    assert service.env[variable].value == filled and service.env[variable].where.startswith("read in db.py:")
    assert value(service, "databases") == [filled.rpartition("/")[2]]


def test_a_file_in_the_working_directory_is_moved_with_it(tmp_path: Path) -> None:
    service = one(tmp_path, {"main.py": "import sqlite3\ndb = sqlite3.connect('shop.db')\n" + FASTAPI})
    assert words(service).startswith("env --chdir={data} {python} -m uvicorn main:app")
    assert service.env["PYTHONPATH"].value == "{folder}" and value(service, "databases") == ["shop.db"]


def test_alembic_goes_with_it(tmp_path: Path) -> None:
    service = one(tmp_path, {"main.py": "engine = create_engine('sqlite:///shop.db')\n" + FASTAPI,
                             "alembic.ini": "[alembic]\nscript_location = alembic\n", "alembic/env.py": ""})
    assert words(service, "migrate") == (
        "env --chdir={data} sh -c ln -sfn \"$0\" alembic && exec \"$@\" {folder}/alembic {python} -m alembic "
        "-c {folder}/alembic.ini upgrade head")


@pytest.mark.parametrize("code", [
    "engine = create_engine('sqlite:///./shop.db')\npages = Jinja2Templates(directory='templates')\n",
    "DB = Path(__file__).parent / 'shop.db'\n", "app.config['SQLALCHEMY_DATABASE_URI'] = 'sqlite:///shop.db'\n"])
def test_a_place_that_cannot_be_moved_is_named(tmp_path: Path, code: str) -> None:
    (note,) = one(tmp_path, {"main.py": FLASK + code}).notes
    assert note.startswith("main.py:5 puts shop.db beside") and "os.environ.get(" in note


def test_a_function_that_takes_settings_is_told(tmp_path: Path) -> None:
    factory = """import os
from flask import Flask
def create_app(test_config=None):
    app = Flask(__name__)
    app.config.from_mapping(SECRET_KEY="dev", DATABASE=os.path.join(app.instance_path, "shop.sqlite"))
    if test_config:
        app.config.update(test_config)
    os.makedirs(app.instance_path, exist_ok=True)
    return app
"""
    service = one(tmp_path, {"shop/__init__.py": factory, "shop/db.py": "@click.command('init-db')\ndef f(): pass\n"})
    assert "shop:create_app({'DATABASE': '{data}/shop.sqlite'})" in words(service)
    assert words(service, "build") == "mkdir -p ./instance" and service.notes == ()
    assert words(service, "migrate").startswith("sh -c test -e") and "init-db" in words(service, "migrate")


def test_a_database_server_is_spoken_of_plainly(tmp_path: Path) -> None:
    service = one(tmp_path, {"main.py": "import os\nurl = os.environ['DATABASE_URL']\n" + FASTAPI,
                             "requirements.txt": "fastapi\nuvicorn\npsycopg[binary]\n",
                             ".env.example": "DATABASE_URL=postgresql://me@localhost/shop\n"})
    soft = one(tmp_path / "soft", {"main.py": "import os\nDATABASE_URL = os.getenv('DATABASE_URL')\n" + FASTAPI,
                                   "requirements.txt": "fastapi\nasyncpg\n"})
    assert soft.missing["DATABASE_URL"].where == "main.py:2"
    assert "PostgreSQL" in service.notes[0] and "env_file.dev" in service.notes[0]
    assert "DATABASE_URL" in service.missing and "DATABASE_URL" not in service.env, "live and copies must not share it"


def test_variables_get_an_examples_value_and_secrets_none(tmp_path: Path) -> None:
    code = "import os\na = os.environ['SHOP_TITLE']\nb = os.environ['API_TOKEN']\nc = os.environ['OTHER']\n"
    service = one(tmp_path, {"main.py": code + FASTAPI, ".env.example": "SHOP_TITLE=My shop\nAPI_TOKEN=abc\n"})
    assert service.env["SHOP_TITLE"].value == "My shop" and set(service.missing) == {"API_TOKEN", "OTHER"}
    assert "API_TOKEN" not in service.env and "API_TOKEN" in service.dev_env and "OTHER" not in service.dev_env


@pytest.mark.parametrize(("files", "migrate"), [
    ({"alembic.ini": "", "migrations/env.py": ""}, "{python} -m alembic upgrade head"),
    ({"requirements.txt": "flask\nflask-migrate\n", "migrations/env.py": ""},
     "{python} -m flask --app app:app db upgrade -d {folder}/migrations"),
    ({"migrate.py": "", "migrations/0001_first.sql": ""}, "{python} migrate.py")])
def test_migrations(tmp_path: Path, files: dict[str, str], migrate: str) -> None:
    assert words(one(tmp_path, {"app.py": FLASK, **files}), "migrate") == migrate


def test_what_writes_in_the_working_directory_is_started_in_the_data(tmp_path: Path) -> None:
    code = "import os\nif os.environ.get('LOG_TO_STDOUT'): pass\nos.mkdir('logs')\n"
    service = one(tmp_path, {"app.py": code + FLASK})
    assert words(service).startswith("env --chdir={data} {python} -m flask --app app:app")
    assert "app.py:3" in service.values["start"].where and service.env["LOG_TO_STDOUT"].value == "1"


@pytest.mark.parametrize(("files", "interpreter"), [
    ({"pyproject.toml": "[project]\nrequires-python='>=3.99'\n"}, "python3.99"),
    ({"pyproject.toml": "[project]\nrequires-python='>=3.6,<3.8'\n"}, "python3.7"),
    ({"pyproject.toml": "[tool.poetry.dependencies]\npython='^3.98'\n"}, "python3.98"),
    ({".python-version": "3.97\n"}, "python3.97"), ({".python-version": "3.9\n"}, None),
    ({"pyproject.toml": "[project]\nrequires-python='>=3.8'\n"}, None), ({}, None)])
def test_the_interpreter_that_it_wants(tmp_path: Path, files: dict[str, str], interpreter: str | None) -> None:
    service = one(tmp_path, {"main.py": FASTAPI, "requirements.txt": "fastapi\n", **files})
    assert (service.values["interpreter"].value if "interpreter" in service.values else None) == interpreter


# -- ports, tests, health -----------------------------------------------------------------------------------------

@pytest.mark.parametrize(("files", "said"), [
    ({"package.json": package(dependencies={"express": "4"}), "index.js": "const port = 4000;\n\napp.listen(port);\n"},
     "index.js:1 listens on port 4000"),
    ({"package.json": package(scripts={"start": "node a.js"}), "a.js": "http.createServer(f).listen(8080)\n"},
     "a.js:1 listens on port 8080"),
    ({"run.py": "from http.server import HTTPServer\nHTTPServer(('', 8099), X).serve_forever()\n"},
     "run.py:2 listens on port 8099")])
def test_a_fixed_port_is_named(tmp_path: Path, files: dict[str, str], said: str) -> None:
    assert one(tmp_path, files).blocked.startswith(said)


@pytest.mark.parametrize(("listens", "variable"), [
    ("app.listen(process.env.PORT || 3000)", None),
    ("const p = process.env.HTTP_PORT ?? 3000;\napp.listen(p)", "HTTP_PORT")])
def test_a_port_from_a_variable(tmp_path: Path, listens: str, variable: str | None) -> None:
    service = one(tmp_path, {"package.json": package(dependencies={"express": "4"}), "server.js": listens})
    assert not service.blocked and words(service) == "node server.js"
    assert {key for key, seen in service.env.items() if seen.value == "{port}"} == ({variable} if variable else set())


@pytest.mark.parametrize(("files", "test"), [
    ({"tests/test_a.py": "import pytest\ndef test_a(): pass\n"}, "pytest"),
    ({"tests.py": "import unittest\nclass A(unittest.TestCase): pass\n"}, "pytest"), ({}, "")])
def test_python_tests(tmp_path: Path, files: dict[str, str], test: str) -> None:
    service = one(tmp_path, {"app.py": FLASK, "requirements.txt": "flask\n", **files})
    assert ("test" in service.values) == bool(test)
    if test:
        assert "--junitxml={report}" in words(service, "test") and words(service, "install").endswith(" pytest")
        assert value(service, "tests") == next(iter(files)).partition("/")[0]


@pytest.mark.parametrize(("script", "dev", "test"), [
    ("vitest", {"vitest": "1"}, "npx vitest run --reporter=junit --outputFile={report}"),
    ("node --test", {}, "node --test --test-reporter=junit --test-reporter-destination={report}"),
    ("mocha", {"mocha": "10"}, "npx mocha --reporter xunit --reporter-option output={report}")])
def test_node_tests(tmp_path: Path, script: str, dev: dict[str, str], test: str) -> None:
    files = {"package.json": package(dependencies={"express": "4"}, devDependencies=dev, scripts={"test": script}),
             "index.js": "app.listen(process.env.PORT)", "test/a.test.js": ""}
    service = one(tmp_path, files)
    assert words(service, "test") == test and value(service, "tests") == "test"


def test_health_is_what_is_called_so_and_else_a_page(tmp_path: Path) -> None:
    assert one(tmp_path / "a", {"main.py": FASTAPI}).health[:2] == ("/healthz", "/")
    assert one(tmp_path / "b", {"app.py": FLASK}).health[0] == "/"


# -- several services, and none of them Python --------------------------------------------------------------------

def test_a_backend_and_a_frontend(tmp_path: Path) -> None:
    found = tree(tmp_path, {
        "backend/requirements.txt": "fastapi\nuvicorn\n", "backend/main.py": FASTAPI, "package.json": package(),
        "frontend/package.json": package(dependencies={"next": "15"}, scripts={"build": "next build"}),
        "frontend/lib/api.ts": "const base = process.env.API_URL || 'http://localhost:8000/api'"}).services
    assert [(each.name, each.framework, each.folder) for each in found] == [
        ("backend", "FastAPI", "backend"), ("frontend", "Next.js", "frontend")]
    (tmp_path / "frontend/lib/api.ts").write_text("const base = process.env.BACKEND_URL;\n")
    again = recognise(tmp_path, "an app").services[1]
    assert again.env["BACKEND_URL"].value == "http://127.0.0.1:{backend.port}"
    assert found[1].env["API_URL"].value == "http://127.0.0.1:{backend.port}/api"
    ports = [value(each, key) for each in found for key in ("live_port", "dev_port")]
    assert ports == [8000, 8001, 3000, 3002]


def test_ports_that_others_have_are_left_to_them(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(FASTAPI)
    (found,) = recognise(tmp_path, "an app", lambda port: port in (8000, 8001, 8010)).services
    assert (value(found, "live_port"), value(found, "dev_port")) == (8020, 8011)


@pytest.mark.parametrize(("files", "framework", "start"), [
    ({"package.json": package(devDependencies={"vite": "5"}, scripts={"build": "vite build"}), "index.html": ""},
     "Vite", "npx vite preview"),
    ({"package.json": package(dependencies={"react-scripts": "5"}, scripts={"build": "x"})}, "static",
     "--directory build"),
    ({"package.json": package(dependencies={"next": "15"}), "next.config.js": "module.exports = {output: 'export'}"},
     "static", "--directory out"),
    ({"index.html": "<p>hello"}, "static", "--directory ."),
    ({"public/index.html": ""}, "static", "--directory public"),
    ({"package.json": package(dependencies={"fastify": "4"}, scripts={"start": "NODE_ENV=production node dist/a.js"})},
     "Fastify", "node dist/a.js"),
    ({"package.json": package(dependencies={"express": "4"}), "src/index.ts": "app.listen(process.env.PORT)"},
     "Express", "npx tsx src/index.ts")])
def test_sites_without_python(tmp_path: Path, files: dict[str, str], framework: str, start: str) -> None:
    service = one(tmp_path, files)
    assert service.framework == framework and start in words(service)


@pytest.mark.parametrize("files", [{}, {"README.md": "# notes"}, {"lib.py": "x = 1\n"}, {"package.json": package()}])
def test_nothing_to_serve(tmp_path: Path, files: dict[str, str]) -> None:
    assert tree(tmp_path, files).services == ()


def test_odd_files_do_not_stop_it(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_bytes(b"\xff\xfe\x00def")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "away.py").symlink_to("/etc/hostname")
    files = {"main.py": FASTAPI, "worse.py": "def (", "pyproject.toml": "[", "package.json": "[1]", "x" * 200: ""}
    assert one(tmp_path, files).framework == "FastAPI"


# -- the text, and what failures mean -----------------------------------------------------------------------------

def test_every_value_has_a_comment_and_the_text_loads(tmp_path: Path) -> None:
    odd = Seen(['a "word"', "line\nline", "\x7f\\", "'''\n'''", "é"], "name\n[services.evil]\nstart = 1")
    service = Service("app", ".", "Flask\nx = 1", {"start": odd, "live_port": Seen(8000, "here")},
                      {"KEY": Seen("v", "there")}, missing={"GONE": Seen("", "a.py:1\nb = 2")}, notes=("n\nm = 3",))
    text = template.text(Recognised(Seen("app", "the folder"), (service,)))
    found = tomllib.loads(text)
    assert found["services"] == {"app": {"folder": ".", "start": odd.value, "live_port": 8000, "env": {"KEY": "v"}}}
    assert config.parse(text, tmp_path / "config.toml").name == "app"
    assert "# GONE" in text and "# here" in text.replace("  #", "#") and "# there" in text.replace("  #", "#")


@pytest.mark.parametrize(("said", "sentence"), [
    ("  File \"a.py\", line 3\nKeyError: 'SHOP_TOKEN'", "SHOP_TOKEN is missing"),
    ("decouple.UndefinedValueError: SHOP not found. Declare it", "SHOP is missing"),
    ("1 validation error for Settings\nsecret_key\n  Field required [type=missing]", "secret_key is missing"),
    ("ModuleNotFoundError: No module named 'yaml'", "yaml is imported"),
    ("ImportError: libpq.so.5: cannot open shared object file: No such file", "system library libpq.so.5"),
    ("ERROR: Could not build wheels for uvloop, greenlet, which is required to install pyproject.toml-based projects",
     "uvloop, greenlet had to be compiled"),
    ("Error: pg_config executable not found.", "system library pg_config"),
    ("sqlite3.OperationalError: unable to open database file", "SQLite file cannot be opened"),
    ("OSError: [Errno 30] Read-only file system: '/a/uploads'", "/a/uploads beside its code"),
    ("sqlite3.OperationalError: no such table: books", "table books is not there"),
    ('connection to server at "localhost" (127.0.0.1), port 5432 failed: Connection refused', "localhost"),
    ("Error: connect ECONNREFUSED 127.0.0.1:6379", "127.0.0.1:6379"),
    ("Error: listen EADDRINUSE: address already in use :::3000", "port 3000"),
    ("django.core.exceptions.DisallowedHost: Invalid HTTP_HOST header: '127.0.0.1:1'", "ALLOWED_HOSTS"),
    ("Failed to fetch `Inter` from Google Fonts.", "font Inter"), ("all is well", ""),
    ("Traceback:\n  File 'a.py'\nTypeError: unhashable type: 'dict'", "last failure was TypeError: unhashable")])
def test_likely_causes(said: str, sentence: str) -> None:
    assert any(sentence in each for each in likely(said)) if sentence else likely(said) == []


def test_databases_of_tests_and_in_memory_are_not_live_ones(tmp_path: Path) -> None:
    code = """import os
class Testing:
    URL = os.environ.get('TEST_DATABASE_URL') or 'sqlite://'
class Other:
    URL = os.environ.get('OTHER_URL') or 'sqlite:///:memory:'
class Live:
    URL = os.environ.get('DATABASE_URL') or 'sqlite:///' + os.path.join(here, 'shop.db')
"""
    service = one(tmp_path, {"app.py": FLASK, "config.py": code})
    assert value(service, "databases") == ["shop.db"] and set(service.env) == {"DATABASE_URL", "FLASK_DEBUG"}


def test_django_settings_with_further_files_beside_the_code(tmp_path: Path) -> None:
    settings = SETTINGS + "QUEUE = {'name': 'shop', 'filename': os.path.join(BASE_DIR, 'data', 'tasks.sqlite3')}\n"
    build = words(one(tmp_path, {"manage.py": MANAGE, "site_of_ours/settings.py": settings}), "build")
    assert 'QUEUE["filename"] = os.environ["DATA_FOLDER"] + "/tasks.sqlite3"\n' in build
