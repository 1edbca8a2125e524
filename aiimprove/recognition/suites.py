"""The tests of a service: who runs them, and where they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aiimprove.recognition.python_packages import Packages
from aiimprove.recognition.seen import Seen
from aiimprove.recognition.sources import Sources, is_test

_PYTEST = ["{python}", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml={report}"]


def python(at: Sources, packages: Packages, settings: str = "") -> tuple[dict[str, Seen], Packages]:
    """The keys `test` and `tests` of a Python service, and its packages with what its tests need besides. pytest runs
    unittest's tests too, and writes the report. `settings` is the settings module of a Django project."""
    files = [path for path in at.ending(".py", tests=True) if is_test(path) and re.search(
        r"def test|TestCase|import pytest", at.text(path))]
    if not files:
        return {}, packages
    folder = _common(files)
    asks = packages.has("pytest") or any("pytest" in at.text(file) for file in files)
    if packages.files or asks:
        packages = packages.plus("pytest", f"{at.where(files[0])} needs it, and a proof reads its report")
    words = list(_PYTEST)
    if settings:
        packages = packages.plus("pytest-django", "runs Django's tests with a report")
        words += [] if _configured(at) else [f"--ds={settings}", "-o", "python_files=tests.py test_*.py *_test.py"]
    place = f"tests in {at.where(folder or files[0])}"
    inside = place if asks else f"{place}; no file names pytest, which runs unittest's tests too"
    found = {"test": Seen(words, inside)}
    if folder:
        found["tests"] = Seen(folder.rstrip("/"), "taken from the live commit in a proof")
    return found, packages


def _configured(at: Sources) -> bool:
    return "DJANGO_SETTINGS_MODULE" in "".join(at.text(each) for each in (
        "pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini"))


def _common(files: list[str]) -> str:
    """The folder in which all tests stand; the file when there is one alone; empty when they are spread."""
    if len(files) == 1 and "/" not in files[0]:
        return files[0]
    tops = {file.partition("/")[0] for file in files}
    return f"{tops.pop()}/" if len(tops) == 1 and "/" in files[0] and is_test(files[0].partition("/")[0] + "/x") else ""


def node(at: Sources, package: Mapping[str, object], asked: set[str]) -> dict[str, Seen]:
    """The keys `test` and `tests` of a Node service."""
    scripts = package.get("scripts")
    script = str(scripts.get("test", "")) if isinstance(scripts, dict) else ""
    where = at.where("package.json", at.line_of("package.json", '"test"'))
    if "vitest" in asked:
        words = ["npx", "vitest", "run", "--reporter=junit", "--outputFile={report}"]
    elif "node --test" in script:
        files = [word for word in script.split()[1:] if not word.startswith("-")]
        words = ["node", "--test", "--test-reporter=junit", "--test-reporter-destination={report}", *files]
    elif "jest-junit" in asked:
        words = ["env", "JEST_JUNIT_OUTPUT_FILE={report}", "npx", "jest", "--reporters=jest-junit"]
    elif "mocha" in asked:
        words = ["npx", "mocha", "--reporter", "xunit", "--reporter-option", "output={report}"]
    else:
        return {}
    found = {"test": Seen(words, where)}
    files = [path for path in at.ending(".js", ".ts", ".tsx", ".jsx", ".mjs", ".cjs", tests=True) if is_test(path)]
    if files and _common(files):
        found["tests"] = Seen(_common(files).rstrip("/"), "taken from the live commit in a proof")
    return found
