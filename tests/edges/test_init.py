"""`init` in a stranger's repository: what it refuses, what it writes, and that the app really starts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from strangers import Stranger
from test_docs_contract import documented, objections

from aiimprove import config
from aiimprove.process import free_ports

PAGE = {"index.html": "<!doctype html><title>Cards</title>", "about.html": "<p>about</p>"}


def test_it_writes_once_and_never_over_a_file(tmp_path: Path) -> None:
    app = Stranger(tmp_path, files=PAGE)
    assert app.init("--no-start")["exit_code"] == 0
    before = app.config.read_bytes()
    again = app.init()
    assert again["exit_code"] == 3 and "is there already" in again["errors"][0]["message"]
    assert app.config.read_bytes() == before and app.git("status", "--porcelain") == "?? config.toml\n"
    assert not app.state.exists(), "--no-start builds nothing"


def test_it_needs_a_commit(tmp_path: Path) -> None:
    app = Stranger(tmp_path, files=PAGE)
    shutil.rmtree(app.folder / ".git")
    said = app.init()
    assert said["exit_code"] == 3 and "git init && git add -A && git commit" in said["errors"][0]["message"]
    app.git("init", "-q")
    said = app.init()
    assert said["exit_code"] == 3 and "git add -A && git commit" in said["errors"][0]["message"]
    assert not app.config.exists()


def test_what_is_not_known_is_refused(tmp_path: Path) -> None:
    said = Stranger(tmp_path, files={"notes.txt": "nothing to serve"}).init()
    assert said["exit_code"] == 3 and "nothing that init can start" in said["errors"][0]["message"]


def test_a_fixed_port_is_named_and_nothing_is_started(tmp_path: Path) -> None:
    files = {"package.json": '{"scripts": {"start": "node server.js"}, "dependencies": {"express": "4"}}',
             "server.js": 'const app = require("express")();\n\napp.listen(3000);\n'}
    app = Stranger(tmp_path, files=files)
    said = app.init()
    assert said["exit_code"] == 5 and said["data"]["started"] is False
    assert "server.js:3" in said["data"]["causes"][0] and "process.env.PORT || 3000" in said["data"]["causes"][0]
    assert app.config.is_file() and not list(tmp_path.rglob("node_modules"))


def test_what_it_prints_is_documented(tmp_path: Path) -> None:
    code = "import os\nfrom flask import Flask\napp = Flask(__name__)\nkept = os.environ['PLACE_TO_KEEP']\n"
    files = {**PAGE, "api/app.py": code, "api/requirements.txt": "flask\n"}
    app = Stranger(tmp_path, files=files)
    assert not list(objections(documented("init"), [app.init("--no-start")["data"]]))


def test_the_commands_of_the_readme(tmp_path: Path) -> None:
    """From a repository with pages to a site that answers, and down again."""
    from aiimprove.probes import get

    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    block = re.search(r"^## Your own app$.*?^```sh\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert block
    verbs = re.findall(r"^~/aiimprove-venv/bin/aiimprove (.*?)(?:\s*#.*)?$", block[1], re.MULTILINE)
    assert [verb.split()[0] for verb in verbs] == ["init", "up", "down"]
    app, ports = Stranger(tmp_path, "postcards"), free_ports(2)
    try:
        for verb in verbs:
            done = app.call(*verb.split())
            assert done.returncode == 0, done
            if verb == "init":
                assert "It starts: web answered 200 at /" in done.stdout and done.stdout.endswith(
                    "Next: 'aiimprove up' puts it live.\n")
                text = re.sub(r"(?m)^live_port = \d+", f"live_port = {ports[0]}", app.config.read_text())
                app.config.write_text(re.sub(r"(?m)^dev_port = \d+", f"dev_port = {ports[1]}", text))
            if verb == "up":
                assert b"Postcards" in get(f"http://127.0.0.1:{ports[0]}/").body
    finally:
        app.call("down")


def test_an_app_starts_with_its_own_packages(tmp_path: Path) -> None:
    """Installed from the package registry; its tables are made before it is asked."""
    app = Stranger(tmp_path, "guestbook", without=("tests",))
    said = app.init()
    assert said["exit_code"] == 0 and said["data"]["started"], said
    assert [(each["framework"], each["health"]) for each in said["data"]["services"]] == [("Flask", "/ping")]
    assert config.load(app.folder).services["app"].smoke == ["/", "/entries"]
    assert app.git("status", "--porcelain") == "?? config.toml\n"


@pytest.mark.slow
def test_four_frameworks_start_side_by_side(tmp_path: Path) -> None:
    """Installed from the package registries, each with its own interpreter and packages."""
    app = Stranger(tmp_path, "recipes_api", "guestbook", "bookshelf", "shortener",
                   without=("tests", "tests.py", "test", "requirements-dev.txt"))
    said = app.init()
    assert said["exit_code"] == 0, said
    answered = {each["name"]: (each["framework"], each["health"]) for each in said["data"]["services"]}
    assert answered == {"recipes_api": ("FastAPI", "/health"), "guestbook": ("Flask", "/ping"),
                        "bookshelf": ("Django", "/books/"), "shortener": ("Express", "/status")}
    found = config.load(app.folder).services
    assert found["recipes_api"].openapi == "/openapi.json" and found["recipes_api"].smoke == ["/recipes"]
    assert found["guestbook"].smoke == ["/", "/entries"] and found["bookshelf"].databases == ["db.sqlite3"]
    assert app.git("status", "--porcelain") == "?? config.toml\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["recipes_api", "guestbook", "bookshelf", "shortener", "kanban"])
def test_each_app_goes_live_and_its_tests_run(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Stranger(tmp_path, name)
    monkeypatch.setenv("AIIMPROVE_STATE", str(app.state))
    assert app.init()["exit_code"] == 0
    text = app.config.read_text()
    for port in re.findall(r"(?m)^(?:live|dev)_port = (\d+)", text):
        text = text.replace(f"_port = {port}", f"_port = {free_ports(1)[0]}")
    app.config.write_text(text)
    try:
        done = app.call("up", "--without-loop")
        assert done.returncode == 0, done
        assert all(_passing(app, each, tmp_path / each) for each in config.load(app.folder).services)
    finally:
        app.call("down")


def _passing(app: Stranger, name: str, out: Path) -> bool:
    """Whether the tests of a service pass as a proof runs them, and are reported; true when it has none."""
    from types import SimpleNamespace
    from typing import cast

    from aiimprove.build import kept, sources
    from aiimprove.checks.junit import run_tests
    from aiimprove.proving import Case
    from aiimprove.repository import Repository
    from aiimprove.sandbox import find_box

    settings = config.load(app.folder)
    if not settings.services[name].test:
        return True
    repository = Repository(app.folder, out / "git")
    folder = sources(settings, repository, repository.resolve("HEAD"), out / "tree", name)
    case = cast(Case, SimpleNamespace(config=settings, box=find_box()))
    seen = run_tests(case, kept(settings)[0], name, folder, out / "run")
    assert not seen.problem, seen
    return bool(seen.tests) and seen.passed() == set(seen.tests)


def test_what_no_file_says_is_asked(tmp_path: Path) -> None:
    from aiimprove.introduction import introduce

    code = "import os\nfrom flask import Flask\n\napp = Flask('a')\na, b = os.environ['SHOP_TITLE'], os.environ['C']\n"
    app = Stranger(tmp_path, files={"app.py": code, "requirements.txt": "flask\n"})
    asked: list[str] = []

    def person(question: str) -> str:
        asked.append(question)
        return "My shop\n" if "TITLE" in question else "\n"

    introduce(app.folder, str, person, start=False)
    assert [each.split()[0] for each in asked] == ["SHOP_TITLE", "C"] and "app.py:5" in asked[0]
    assert config.load(app.folder).services["app"].env == {"FLASK_DEBUG": "0", "SHOP_TITLE": "My shop"}
    assert "# C = " in app.config.read_text()


def test_secrets_of_live_are_made_and_kept_apart(tmp_path: Path) -> None:
    code = "import os\nfrom flask import Flask\napp = Flask(__name__)\napp.secret_key = os.environ['SECRET_KEY']\n" \
           "token = os.environ['MAIL_TOKEN']\n"
    app = Stranger(tmp_path, files={"app.py": code, "requirements.txt": "flask\n", ".env.example": "SECRET_KEY=x\n"})
    notes = " ".join(app.init("--no-start")["data"]["notes"])
    (file,) = (tmp_path / "home").rglob("*.env")
    assert re.fullmatch(r"SECRET_KEY=[0-9a-f]{64}\n# app\.py:5 needs it;.*\n# MAIL_TOKEN=\n", file.read_text())
    assert file.stat().st_mode & 0o777 == 0o600 and "MAIL_TOKEN" in notes
    service = config.load(app.folder).services["app"]
    assert service.env == {"FLASK_DEBUG": "0"} and set(service.dev_env) == {"SECRET_KEY", "MAIL_TOKEN"}


def test_data_of_the_working_tree_is_not_lives(tmp_path: Path) -> None:
    code = "import os\nfrom flask import Flask\napp = Flask('a')\nDB = os.environ.get('SHOP_DB', 'shop.db')\n"
    app = Stranger(tmp_path, files={"app.py": code, "requirements.txt": "flask\n", ".gitignore": "*.db\n"})
    (app.folder / "instance").mkdir()
    (app.folder / "instance" / "shop.db").write_bytes(b"SQLite format 3\0")
    (note,) = app.init("--no-start")["data"]["notes"]
    assert note.startswith("instance/shop.db of your working tree") and note.endswith(
        f"cp {app.folder}/instance/shop.db {app.state}/data/live/shop.db")


def test_at_a_terminal_it_asks(tmp_path: Path) -> None:
    import os
    import pty
    import subprocess

    from tiny import CALL

    code = "import os\nfrom flask import Flask\napp = Flask('a')\ntitle = os.environ['SHOP_TITLE']\n"
    app = Stranger(tmp_path, files={"app.py": code, "requirements.txt": "flask\n"})
    ours, theirs = pty.openpty()
    os.write(ours, b"My shop\n")
    done = subprocess.run([*CALL, "init", "--no-start"], cwd=app.folder, env=app.env, stdin=theirs, stderr=theirs,
                          stdout=subprocess.PIPE, timeout=60)
    asked = os.read(ours, 65536)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0 and b"SHOP_TITLE is needed by app (app.py:4)" in asked
    assert config.load(app.folder).services["app"].env == {"FLASK_DEBUG": "0", "SHOP_TITLE": "My shop"}
