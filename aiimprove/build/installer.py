"""Installs what pyproject.toml or a Pipfile asks for, without the project itself, at the versions of its lock file.

    python installer.py [--extra NAME]... [--group NAME]... [-r FILE]... [PACKAGE]...

In the folder of those files (a release's sources are not there), by pip and with pip's settings, so that poetry, pdm,
uv and pipenv need not be installed. Read are: `dependencies`, the extras and groups named (PEP 621, PEP 735), Poetry's
own tables, and the versions in uv.lock, poetry.lock, pdm.lock or Pipfile.lock. Of a requirements file the lines that
install the project itself are left out. Standard library only: the app's Python (3.8 or later) runs it, without the
package.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_OPTIONS = ("--extra", "--group", "-r")
LOCKS = ("uv.lock", "poetry.lock", "pdm.lock")
CONSTRAINTS, REQUIREMENTS = "constraints-of-the-lock.txt", "requirements-without-the-project.txt"
_LOCAL = {"editable", "virtual", "git", "directory"}
_ITSELF = re.compile(r"^\s*(-e|--editable)?\s*(\.|\.\[.*\]|file:\.)/?\s*(#.*)?$")


def wanted(folder: Path, extras: Sequence[str], groups: Sequence[str]) -> list[str]:
    """The requirements of pyproject.toml and Pipfile, as pip takes them."""
    project = _toml(folder / "pyproject.toml")
    return [*_standard(project, extras, groups), *_poetry(project, groups), *_pipfile(folder)]


def locked(folder: Path) -> dict[str, str]:
    """The one version of each package that the lock file has. What it has in several versions stays open."""
    found: dict[str, set[str]] = {}
    for name in LOCKS:
        for package in _toml(folder / name).get("package", ()):
            if "version" in package and not _LOCAL & set(package.get("source", ())):
                found.setdefault(package["name"], set()).add(str(package["version"]))
    return {name: versions.pop() for name, versions in found.items() if len(versions) == 1}


def main(words: Sequence[str]) -> None:
    """Becomes pip."""
    folder, options, packages = Path.cwd(), _options(words), _packages(words)
    (folder / CONSTRAINTS).write_text("".join(f"{name}=={version}\n" for name, version in locked(folder).items()))
    for number, file in enumerate(options["-r"]):
        (folder / f"{number}-{REQUIREMENTS}").write_text(_without_the_project(folder / file))
        packages += ["-r", f"{number}-{REQUIREMENTS}"]
    alone = not options["-r"] or any(_ITSELF.match(row) for file in options["-r"] for row in _rows(folder / file))
    packages += wanted(folder, options["--extra"], options["--group"]) if alone else []
    if packages:
        os.execv(sys.executable, [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                                  "-c", CONSTRAINTS, *packages])


def _options(words: Sequence[str]) -> dict[str, list[str]]:
    return {name: [value for word, value in _pairs(words) if word == name] for name in _OPTIONS}


def _pairs(words: Sequence[str]) -> list[tuple[str, str]]:
    """Each word but the last with the one after it; itertools has that only since Python 3.10."""
    return [(words[place], words[place + 1]) for place in range(len(words) - 1)]


def _packages(words: Sequence[str]) -> list[str]:
    """The words that neither are an option nor follow one."""
    followed = _pairs(["", *words])
    return [word for before, word in followed if word not in _OPTIONS and before not in _OPTIONS]


def _standard(project: Mapping[str, Any], extras: Sequence[str], groups: Sequence[str]) -> Iterator[str]:
    told = project.get("project", {})
    yield from told.get("dependencies", ())
    for extra in extras:
        yield from told.get("optional-dependencies", {}).get(extra, ())
    for group in groups:
        yield from _group(project.get("dependency-groups", {}), group)
        yield from project.get("tool", {}).get("pdm", {}).get("dev-dependencies", {}).get(group, ())
    if "dev" in groups:
        yield from project.get("tool", {}).get("uv", {}).get("dev-dependencies", ())


def _group(groups: Mapping[str, Any], name: str) -> Iterator[str]:
    for each in groups.get(name, ()):
        if isinstance(each, str):
            yield each
        else:
            yield from _group(groups, each.get("include-group", ""))


def _poetry(project: Mapping[str, Any], groups: Sequence[str]) -> Iterator[str]:
    told = project.get("tool", {}).get("poetry", {})
    tables = [told.get("dependencies", {}) if "dependencies" not in project.get("project", {}) else {}]
    tables += [told.get("group", {}).get(name, {}).get("dependencies", {}) for name in groups]
    tables += [told.get("dev-dependencies", {})] if "dev" in groups else []
    for name, asked in ((name, asked) for table in tables for name, asked in table.items() if name != "python"):
        if isinstance(asked, str):
            yield name + bounds(asked)
        elif isinstance(asked, dict) and not {"path", "git", "url"} & set(asked) and not asked.get("optional"):
            chosen = f"[{','.join(asked['extras'])}]" if asked.get("extras") else ""
            yield name + chosen + bounds(str(asked.get("version", "*"))) + _marked(asked)


def _marked(asked: Mapping[str, Any]) -> str:
    return f"; {asked['markers']}" if asked.get("markers") else ""


def bounds(version: str) -> str:
    """Poetry's ^1.2 and ~1.2 in the words of PEP 440; a bare version is meant exactly."""
    return ",".join(filter(None, (_bound(each.strip()) for each in version.split(","))))


def _bound(version: str) -> str:
    if version in ("*", ""):
        return ""
    if version[0] not in "^~" or version.startswith("~="):
        return version if version[0] in "<>=!~" else f"=={version}"
    parts = [int(part) for part in re.findall(r"\d+", version)][:3]
    kept = 1 if version[0] == "~" else next((place for place, part in enumerate(parts) if part), len(parts) - 1)
    kept = min(kept, len(parts) - 1)
    above = [*parts[:kept], parts[kept] + 1]
    return f">={version[1:].strip()},<{'.'.join(map(str, above))}"


def _pipfile(folder: Path) -> Iterator[str]:
    lock = folder / "Pipfile.lock"
    if lock.is_file():
        found = json.loads(lock.read_text("utf-8"))
        for name, asked in {**found.get("develop", {}), **found.get("default", {})}.items():
            if "version" in asked:
                chosen = f"[{','.join(asked['extras'])}]" if asked.get("extras") else ""
                yield name + chosen + asked["version"] + _marked(asked)
        return
    told = _toml(folder / "Pipfile")
    for name, asked in {**told.get("dev-packages", {}), **told.get("packages", {})}.items():
        version = asked if isinstance(asked, str) else asked.get("version", "*")
        yield name if version == "*" else name + version


def _without_the_project(file: Path) -> str:
    rows = [row for row in _rows(file) if not _ITSELF.match(row)]
    return "\n".join(rows) + "\n"


def _rows(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines() if file.is_file() else []


def _toml(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        import tomllib
    except ImportError:  # before Python 3.11 pip brings it along
        from pip._vendor import tomli as tomllib  # type: ignore[no-redef]
    return tomllib.loads(file.read_text("utf-8"))


if __name__ == "__main__":
    main(sys.argv[1:])
