"""Who installs the dependencies of a Python service, from which files, and what they are."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiimprove.recognition.seen import Seen, Values
from aiimprove.recognition.sources import Sources

_PIP = ["{python}", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
_OURS = ["{python}", "{installer}"]
_MAIN = ("requirements.txt", "requirements/base.txt", "requirements/production.txt", "requirements/prod.txt",
         "requirements/requirements.txt", "requirements/common.txt", "requirements/main.txt")
_TESTING = ("requirements-dev.txt", "requirements-test.txt", "requirements-tests.txt", "requirements_dev.txt",
            "requirements.dev.txt", "requirements_test.txt", "dev-requirements.txt", "test-requirements.txt",
            "requirements/dev.txt", "requirements/test.txt", "requirements/tests.txt", "requirements/local.txt",
            "requirements/development.txt", "requirements/testing.txt")
_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock")
_GROUPS = ("dev", "test", "tests", "testing")
_NAME = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)")


@dataclass(frozen=True)
class Packages:
    """`names` are the distributions that the files ask for, in lower case with '-'."""

    manager: str
    files: tuple[str, ...]
    names: frozenset[str]
    words: tuple[str, ...]
    where: str
    added: tuple[tuple[str, str], ...] = ()
    interpreter: Seen | None = None

    def has(self, *names: str) -> bool:
        return bool(self.names & set(names))

    def plus(self, name: str, why: str) -> Packages:
        """The same with a package that no file asks for; the same when one does."""
        if self.has(name):
            return self
        return replace(self, names=self.names | {name}, added=(*self.added, (name, why)))

    def values(self) -> Values:
        """The keys of the config that install them."""
        if not self.files and not self.added:
            return {"runtime": Seen("python", "Python files")}
        extra = "".join(f"; {name} is added: {why}" for name, why in self.added)
        chosen = {"interpreter": self.interpreter} if self.interpreter else {}
        return {"runtime": Seen("python", self.where), **chosen,
                "lock_files": Seen(list(self.files), f"{self.manager}: installed again only when these change"),
                "install": Seen([*(self.words or _PIP), *(name for name, _ in self.added)], self.where + extra)}


def recognise(at: Sources) -> Packages:
    """What a folder's files ask for, and of which Python."""
    return replace(_packages(at), interpreter=_interpreter(at))


def _interpreter(at: Sources) -> Seen | None:
    """The Python that a project asks for, when it does not take the one that `python3` means."""
    project = at.toml("pyproject.toml")
    asked = str(project.get("project", {}).get("requires-python") or project.get("tool", {}).get("poetry", {}).get(
        "dependencies", {}).get("python", ""))
    least, below = (re.search(rf"{kind}\s*3\.(\d+)", asked) for kind in (r"(?:>=|\^|~=?|==)", "<"))
    ours = sys.version_info.minor
    where = f"{at.where('pyproject.toml', at.line_of('pyproject.toml', asked))} asks for Python {asked}"
    file = "" if asked else at.first(".python-version", "runtime.txt")
    if file and (least := re.search(r"3\.(\d+)", at.text(file))):
        where = f"{at.where(file)} asks for Python {least[0]}"
    if least and int(least[1]) > ours:
        return Seen(f"python3.{least[1]}", where)
    return Seen(f"python3.{int(below[1]) - 1}", where) if below and int(below[1]) <= ours else None


def _packages(at: Sources) -> Packages:
    """Files with a lock come first, then requirements files, then the rest."""
    lock = at.first(*_LOCKS)
    if at.first("Pipfile", "Pipfile.lock") and not at.first(*_MAIN):
        return _pipfile(at)
    if at.has("pyproject.toml") and (lock or not at.first(*_MAIN)) and _declares(at.toml("pyproject.toml")):
        return _pyproject(at, lock)
    if at.first(*_MAIN, *_TESTING):
        return _requirements(at)
    return Packages("pip", (), frozenset(), (), "no file names its dependencies")


def _declares(project: dict[str, Any]) -> bool:
    return bool(project.get("project", {}).get("dependencies") or project.get("tool", {}).get("poetry")
                or project.get("dependency-groups"))


def _requirements(at: Sources) -> Packages:
    """The tests' file too, when there is one: proofs run the tests."""
    main, testing = at.first(*_MAIN), at.first(*_TESTING)
    asked = [file for file in (main, testing) if file]
    if main and testing and main in _included(at, testing):
        asked = [testing]
    every = tuple(dict.fromkeys(each for file in asked for each in (file, *_included(at, file))))
    rows = [row for file in every for row in at.text(file).splitlines()]
    itself = any(re.match(r"^\s*(-e\s+|--editable\s+)?(\.|\.\[.*\])/?\s*$", row) for row in rows)
    names = {_plain(match[1]) for row in rows if (match := _NAME.match(row))}
    names |= {extra for row in rows for extra in _standard(row)}
    if itself and at.has("pyproject.toml"):
        every, names = (*every, "pyproject.toml"), names | set(_project_names(at.toml("pyproject.toml")))
    words = [*(_OURS if itself else _PIP), *(word for file in asked for word in ("-r", file))]
    return Packages("pip", every, frozenset(names), tuple(words), " and ".join(at.where(file) for file in asked))


def _included(at: Sources, file: str) -> list[str]:
    """The files that a requirements file names by -r or -c, and those that these name."""
    found: list[str] = []
    folder = file.rpartition("/")[0]
    for match in re.finditer(r"^\s*(?:-r|-c|--requirement|--constraint)[ =]\s*(\S+)", at.text(file), re.MULTILINE):
        path = f"{folder}/{match[1]}" if folder else match[1]
        if at.has(path) and ".." not in path:
            found += [path, *_included(at, path)]
        elif at.has(match[1].removeprefix("../")):
            found += [match[1].removeprefix("../"), *_included(at, match[1].removeprefix("../"))]
    return found


def _pyproject(at: Sources, lock: str) -> Packages:
    project = at.toml("pyproject.toml")
    told, tool = project.get("project", {}), project.get("tool", {})
    extras = [each for each in _GROUPS if each in told.get("optional-dependencies", {})]
    groups = [each for each in _GROUPS if each in project.get("dependency-groups", {})
              or each in tool.get("poetry", {}).get("group", {}) or each in tool.get("pdm", {}).get(
                  "dev-dependencies", {}) or (each == "dev" and ("dev-dependencies" in tool.get("poetry", {})
                                                                 or "dev-dependencies" in tool.get("uv", {})))]
    chosen = [word for kind, names in (("--extra", extras), ("--group", groups)) for name in names
              for word in (kind, name)]
    manager = {"uv.lock": "uv", "poetry.lock": "poetry", "pdm.lock": "pdm"}.get(lock) or next(
        (each for each in ("poetry", "pdm", "uv", "hatch") if each in tool), "pyproject.toml")
    files = ["pyproject.toml", *([lock] if lock and lock != "Pipfile.lock" else [])]
    return Packages(manager, tuple(files), frozenset(_project_names(project)), (*_OURS, *chosen),
                    " and ".join(at.where(file) for file in files) + "; the project itself is not installed")


def _project_names(project: dict[str, Any]) -> Iterator[str]:
    told, poetry = project.get("project", {}), project.get("tool", {}).get("poetry", {})
    lists: list[Sequence[Any]] = [told.get("dependencies", ()), *told.get("optional-dependencies", {}).values(),
                                  *project.get("dependency-groups", {}).values()]
    yield from (_plain(match[1]) for each in lists for row in each
                if isinstance(row, str) and (match := _NAME.match(row)))
    for table in (poetry, *poetry.get("group", {}).values()):
        yield from (_plain(name) for kind in ("dependencies", "dev-dependencies") for name in table.get(kind, {}))
    yield from (extra for each in lists for row in each if isinstance(row, str) for extra in _standard(row))


def _standard(row: str) -> tuple[str, ...]:
    """What the extra `standard` of FastAPI brings, and of uvicorn's own name."""
    return ("uvicorn", "httpx", "jinja2") if re.match(r"fastapi\[(standard|all)", row) else ()


def _pipfile(at: Sources) -> Packages:
    told = at.toml("Pipfile")
    files = [each for each in ("Pipfile", "Pipfile.lock") if at.has(each)]
    names = {_plain(name) for kind in ("packages", "dev-packages") for name in told.get(kind, {})}
    names |= {_plain(name) for kind in ("default", "develop") for name in at.json("Pipfile.lock").get(kind, {})}
    return Packages("pipenv", tuple(files), frozenset(names), tuple(_OURS),
                    " and ".join(at.where(file) for file in files))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
