"""Security headers for Flask, Django and Express: where they are put, and where they are not."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from aiimprove.authors import AUTHORS
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.recipes import Declined, Draft
from aiimprove.settings import Config, Service

HEADERS = ["X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy"]
SERVICE = Service(health="/ping", start=["{python}", "-m", "gunicorn", "shop:create_app()"])
APPS = Path(__file__).parents[1] / "apps"


def write(tree: Path, files: dict[str, str], missing: list[str] = HEADERS,
          cause: str = "missing-security-headers") -> Draft | Declined:
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    finding = Finding("security_headers", Kind.SECURITY, cause, "web", "t", "s",
                      Probe("http", "web", {}, {}), 1.0, {"service": "web", "path": "/list", "missing": missing})
    return AUTHORS["recipes"].write(finding, tree, Config(services={"web": SERVICE}))


def reason(done: Draft | Declined) -> str:
    assert isinstance(done, Declined), done
    return done.reason


FACTORY = ('"""Doc."""\n\nimport os\n\nimport flask\n\n\ndef create_app():\n    made = flask.Flask(__name__)\n'
           "    made.config['A'] = 1\n    return made\n")
FIXTURE = "import pytest\nfrom shop import create_app\n\n\n@pytest.fixture\ndef {name}({needs}):\n    {body}\n"


def test_flask_in_a_factory(tmp_path: Path) -> None:
    fixture = FIXTURE.format(name="site", needs="", body="return create_app().test_client()")
    done = write(tmp_path, {"shop/__init__.py": FACTORY, "tests/conftest.py": fixture, "tests/test_a.py": ""})
    assert isinstance(done, Draft) and done.approach == "flask_headers"
    text = (tmp_path / "shop/__init__.py").read_text()
    ast.parse(text)
    assert "    made = flask.Flask(__name__)\n    made.after_request(add_security_headers)\n    made.config" in text
    assert text.index("def add_security_headers(response: flask.Response)") < text.index("def create_app")
    test = (tmp_path / "tests/test_security_headers.py").read_text()
    assert test.startswith("def test_security_headers(site):\n    answer = site.get(\"/list\")\n")
    assert 'assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"' in test


@pytest.mark.parametrize(("test", "start"), [
    ("from shop import app\n\n\ndef test_a():\n    assert app.test_client().get('/')\n",
     'from shop import app\n\nclient = app.test_client()\n\n\ndef test_security_headers():\n'
     '    answer = client.get("/ping")\n'),
    ("from shop import app\n\ndef test_a():\n    with app.test_client() as browser:\n        browser.get('/')\n",
     "from shop import app\n\nclient = app.test_client()\n"),
    ("import shop\n\nbrowser = shop.app.test_client()\n\ndef test_a(): ...\n",
     "import shop\n\nbrowser = shop.app.test_client()\n"),
])
def test_flask_with_the_tests_own_client(tmp_path: Path, test: str, start: str) -> None:
    done = write(tmp_path, {"shop.py": "from flask import Flask\n\napp = Flask(__name__)\n", "test_a.py": test})
    assert isinstance(done, Draft) and "test_security_headers.py" in done.files
    assert (tmp_path / "test_security_headers.py").read_text().startswith(start)


def test_flask_without_a_known_client_has_no_test(tmp_path: Path) -> None:
    """The start command names the app, and still no client of another framework is put around it."""
    done = write(tmp_path, {"shop/__init__.py": FACTORY, "tests/test_a.py": "from shop import create_app\n"})
    assert isinstance(done, Draft) and done.files == ("shop/__init__.py",) and "No test comes with it" in done.claim


@pytest.mark.parametrize(("files", "said"), [
    ({"a.py": "from flask import Flask\nfrom flask_talisman import Talisman\n\napp = Flask('a')\n"}, "already"),
    ({"a.py": "from flask import Flask\n\napp = Flask('a')\n", "b.py": "import flask\n\napp = flask.Flask('b')\n"},
     "the app is made in 2 places"),
    ({"a.py": "from flask import Flask\n\ndef add_security_headers(answer): ...\n\napp = Flask('a')\n"}, "already"),
    ({"a.py": "from flask import Blueprint\n\nbp = Blueprint('a', 'a')\n"}, "no place is known where the app is made"),
])
def test_flask_is_declined_in_one_sentence(tmp_path: Path, files: dict[str, str], said: str) -> None:
    answer = reason(write(tmp_path, files))
    assert said in answer and ";" not in answer
    assert all((tmp_path / name).read_text() == text for name, text in files.items())


MANAGE = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site.settings')\n"
COMMON, SECURITY = "django.middleware.common.CommonMiddleware", "django.middleware.security.SecurityMiddleware"
GZIP = "django.middleware.gzip.GZipMiddleware"
FRAMES = "django.middleware.clickjacking.XFrameOptionsMiddleware"


def settings_of(tree: Path) -> dict[str, object]:
    values: dict[str, object] = {}
    exec((tree / "conf/settings.py").read_text(), values)  # our own text
    return values


@pytest.mark.parametrize("written", [
    f"MIDDLEWARE = ['{COMMON}']", f"MIDDLEWARE = [\n  '{COMMON}'\n]", f"MIDDLEWARE = [\n    '{COMMON}',  # why\n]",
    f"MIDDLEWARE = [\n    # why\n    '{COMMON}',\n    ]", f"MIDDLEWARE = ['{COMMON}',\n    'b.c.D']"])
def test_django_in_the_projects_own_layout(tmp_path: Path, written: str) -> None:
    done = write(tmp_path, {"manage.py": MANAGE, "conf/settings.py": f"DEBUG = True\n{written}\nAFTER = 1\n"})
    assert isinstance(done, Draft) and done.approach == "django_headers"
    text, values = (tmp_path / "conf/settings.py").read_text(), settings_of(tmp_path)
    names = values["MIDDLEWARE"]
    assert isinstance(names, list) and (names[0], names[1], names[-1]) == (SECURITY, COMMON, FRAMES)
    assert ("# why" in text) == ("# why" in written) and text.endswith("AFTER = 1\n")
    assert values["SECURE_CONTENT_TYPE_NOSNIFF"] is True and values["X_FRAME_OPTIONS"] == "SAMEORIGIN"
    assert values["SECURE_REFERRER_POLICY"] == "strict-origin-when-cross-origin"


def test_django_adds_only_what_is_missing(tmp_path: Path) -> None:
    """SecurityMiddleware sends two of them already; nothing is said about what it sends."""
    done = write(tmp_path, {"manage.py": MANAGE, "conf/settings.py": f"MIDDLEWARE = ['{SECURITY}']\n"},
                 ["X-Frame-Options"])
    assert isinstance(done, Draft)
    assert settings_of(tmp_path)["MIDDLEWARE"] == [SECURITY, FRAMES]
    assert "SECURE" not in (tmp_path / "conf/settings.py").read_text()


@pytest.mark.parametrize(("text", "said"), [
    (f"MIDDLEWARE = ['{SECURITY}']\n", "SecurityMiddleware is among the middleware"),
    (f"MIDDLEWARE = ['{COMMON}']\nSECURE_SSL_REDIRECT = True\n", "sets SECURE_SSL already"),
    (f"MIDDLEWARE = ['{COMMON}']\nX_FRAME_OPTIONS = 'DENY'\n", "sets X_FRAME_OPTIONS already"),
    (f"MIDDLEWARE = ['{COMMON}']\nMIDDLEWARE += ['a.b.C']\n", "set or changed in 2 places"),
    ("MIDDLEWARE = base_middleware()\n", "is no plain list"),
    ("DEBUG = True\n", "in 0 places"),
    (f"MIDDLEWARE = ['{COMMON}',  # why\n    'a.b.C']\n", "comments stand between"),
])
def test_django_is_declined(tmp_path: Path, text: str, said: str) -> None:
    assert said in reason(write(tmp_path, {"manage.py": MANAGE, "conf/settings.py": text}))
    assert (tmp_path / "conf/settings.py").read_text() == text


EXPRESS = {"package.json": '{"dependencies": {"express": "^4"}}'}
APP = 'const express = require("express");\n\nconst app = express();\napp.use(express.json());\n'
TEST = 'const { test } = require("node:test");\nconst app = require("../app");\n'


def test_express_before_every_other_middleware(tmp_path: Path) -> None:
    done = write(tmp_path, {**EXPRESS, "app.js": f"{APP}\nmodule.exports = app;\n", "test/a.test.js": TEST})
    assert isinstance(done, Draft) and done.files == ("app.js", "test/security-headers.test.js")
    text = (tmp_path / "app.js").read_text()
    assert text.startswith('const express = require("express");\n\nconst app = express();\n\napp.use((_request, ')
    assert text.index("  next();\n});\n\napp.use(express.json());") > text.index('"Referrer-Policy", "strict-origin')


@pytest.mark.parametrize(("files", "said"), [
    ({"app.js": APP, "b.js": APP}, "made in 2 files"),
    ({"app.js": 'const app = configured(express());\n'}, "not made once"),
    ({"app.js": f'const helmet = require("helmet");\n{APP}'}, "helmet"),
    ({"app.js": "module.exports = 1;\n"}, "made in 0 files"),
])
def test_express_is_declined(tmp_path: Path, files: dict[str, str], said: str) -> None:
    assert said in reason(write(tmp_path, {**EXPRESS, **files}))
    assert all((tmp_path / name).read_text() == text for name, text in files.items())


def test_express_tests_of_another_kind_get_none(tmp_path: Path) -> None:
    done = write(tmp_path, {**EXPRESS, "app.js": APP, "test/a.test.js": TEST})
    assert isinstance(done, Draft) and done.files == ("app.js",), "the app is not exported"


@pytest.mark.parametrize(("written", "names"), [
    (f"MIDDLEWARE = ['{COMMON}']", [GZIP, COMMON]), (f"MIDDLEWARE = ['{SECURITY}']", [SECURITY, GZIP]),
    (f"MIDDLEWARE = [\n    '{SECURITY}',\n    # the rest\n    '{COMMON}',\n]", [SECURITY, GZIP, COMMON]),
    (f"MIDDLEWARE = [\n    '{SECURITY}'\n]", [SECURITY, GZIP]),
    (f"MIDDLEWARE = [\n    # the first\n    '{COMMON}',\n]", [GZIP, COMMON])])
def test_django_compresses_at_the_place_where_it_belongs(tmp_path: Path, written: str, names: list[str]) -> None:
    files = {"manage.py": MANAGE, "conf/settings.py": f"{written}\n", "books/__init__.py": "",
             "books/tests.py": "from django.test import TestCase\n"}
    done = write(tmp_path, files, cause="no-compression")
    assert isinstance(done, Draft) and done.files == ("books/test_answers_are_compressed.py", "conf/settings.py")
    assert settings_of(tmp_path)["MIDDLEWARE"] == names
    ast.parse((tmp_path / "books/test_answers_are_compressed.py").read_text())


@pytest.mark.parametrize(("files", "said"), [
    ({"manage.py": MANAGE, "conf/settings.py": f"MIDDLEWARE = ['a.UpdateCacheMiddleware', '{COMMON}']\n"}, "its place"),
    ({"manage.py": MANAGE, "conf/settings.py": f"MIDDLEWARE = ['{GZIP}']\n"}, "compresses answers already"),
    ({"manage.py": MANAGE, "conf/settings.py": f"MIDDLEWARE = ['{COMMON}']\n", "a.py": "x = FileResponse(f)\n"},
     "sends files or streams"),
    ({"manage.py": MANAGE, "conf/settings.py": f"MIDDLEWARE = [\n    '{SECURITY}', '{COMMON}',\n]\n"}, "on one line"),
    ({"a.py": "from flask import Flask\n\napp = Flask('a')\n"}, "Flask-Compress would"),
    ({**EXPRESS, "app.js": APP, "b.py": "x = 1\n"}, "the package compression would"),
])
def test_compression_is_declined_in_one_sentence(tmp_path: Path, files: dict[str, str], said: str) -> None:
    answer = reason(write(tmp_path, files, cause="no-compression"))
    assert said in answer and "no place is known" not in answer.partition(said)[2]
    assert all((tmp_path / name).read_text() == text for name, text in files.items())
