"""What pip is told to install for a project that is not there itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aiimprove.build import installer

PROJECT = """
[project]
name = "shop"
dependencies = ["flask>=3", "httpx"]
[project.optional-dependencies]
test = ["pytest"]
docs = ["sphinx"]
[dependency-groups]
dev = ["ruff", {include-group = "lint"}]
lint = ["mypy"]
"""
POETRY = """
[tool.poetry.dependencies]
python = "^3.11"
flask = "^3.0.1"
rich = {version = "~13.1", extras = ["jupyter"], markers = "python_version > '3'"}
ours = {path = "../ours"}
maybe = {version = "*", optional = true}
[tool.poetry.group.dev.dependencies]
pytest = "*"
"""


@pytest.mark.parametrize(("said", "meant"), [
    ("^1.2.3", ">=1.2.3,<2"), ("^0.2.3", ">=0.2.3,<0.3"), ("^0.0.3", ">=0.0.3,<0.0.4"), ("^1", ">=1,<2"),
    ("^0", ">=0,<1"), ("~1.2.3", ">=1.2.3,<1.3"), ("~1", ">=1,<2"), ("~=1.4", "~=1.4"), ("*", ""), ("1.2", "==1.2"),
    (">=1,<3", ">=1,<3"), ("^1.2, !=1.3", ">=1.2,<2,!=1.3")])
def test_the_bounds_of_poetry(said: str, meant: str) -> None:
    assert installer.bounds(said) == meant


def test_extras_and_groups(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    assert installer.wanted(tmp_path, [], []) == ["flask>=3", "httpx"]
    assert installer.wanted(tmp_path, ["test"], ["dev"]) == ["flask>=3", "httpx", "pytest", "ruff", "mypy"]


def test_the_tables_of_poetry(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(POETRY)
    assert installer.wanted(tmp_path, [], ["dev"]) == [
        "flask>=3.0.1,<4", "rich[jupyter]>=13.1,<13.2; python_version > '3'", "pytest"]


def test_a_pipfile_with_and_without_its_lock(tmp_path: Path) -> None:
    (tmp_path / "Pipfile").write_text("[packages]\nflask = '*'\nrich = '>=13'\n[dev-packages]\npytest = '*'\n")
    assert installer.wanted(tmp_path, [], []) == ["pytest", "flask", "rich>=13"]
    (tmp_path / "Pipfile.lock").write_text(json.dumps({"default": {"flask": {"version": "==3.0.0"}}, "develop": {}}))
    assert installer.wanted(tmp_path, [], []) == ["flask==3.0.0"]


def test_the_versions_of_a_lock(tmp_path: Path) -> None:
    rows = [("flask", "3.0.1", ""), ("shop", "0.1", "source = { editable = '.' }\n"), ("two", "1", ""),
            ("two", "2", "")]
    (tmp_path / "uv.lock").write_text("".join(f"[[package]]\nname = '{name}'\nversion = '{version}'\n{more}"
                                              for name, version, more in rows))
    assert installer.locked(tmp_path) == {"flask": "3.0.1"}


def test_what_pip_is_called_with(tmp_path: Path) -> None:
    """The lines that install the project itself are left out; what it asks for is not."""
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "requirements.txt").write_text("-e .\n.[test]\nrich\n# .\n")
    said = tmp_path / "said.json"
    fake = tmp_path / "modules" / "pip"
    fake.mkdir(parents=True)
    (fake / "__init__.py").touch()
    (fake / "__main__.py").write_text(f"import json, sys; json.dump(sys.argv[1:], open({str(said)!r}, 'w'))")
    subprocess.run([sys.executable, installer.__file__, "-r", "requirements.txt", "gunicorn"], cwd=tmp_path, check=True,
                   env={"PYTHONPATH": str(fake.parent)})
    words = json.loads(said.read_text())
    assert words[words.index("-c") + 2:] == ["gunicorn", "-r", f"0-{installer.REQUIREMENTS}", "flask>=3", "httpx"]
    assert (tmp_path / f"0-{installer.REQUIREMENTS}").read_text() == "rich\n# .\n"
