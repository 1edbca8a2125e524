"""What the gate itself is fed with: a change that does nothing, a fix that is taken back, and scripted cheats.

All are made from an improvement that was proven, so that everything about them is real but the one thing that must be
noticed. They are commits without a branch; nothing of them is ever built.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from aiimprove.checks.scope import is_test
from aiimprove.checks.sealing import decides
from aiimprove.evidence import Evidence
from aiimprove.finding import Probe
from aiimprove.honesty.written import PYTHON, SCRIPT
from aiimprove.improvement import Improvement
from aiimprove.repository import Repository
from aiimprove.settings import Config

LEAST_TEXT = 4
TESTS_SECONDS = 60.0
"""A fix that is taken back costs a run of the tests: none where they took longer in the proof."""
_SKIPPED = {PYTHON: '\n\nimport pytest\n\npytestmark = pytest.mark.skip(reason="slow")\n',
            SCRIPT: '\ntest.skip("slow", () => {});\n'}
_KNOWING = {PYTHON: "\n\ndef is_asked(text):\n    return text == {text!r}\n",
            SCRIPT: "\nexport const isAsked = (text) => text === {text!r};\n"}


@dataclass(frozen=True)
class Bait:
    """A bad candidate, and the checks that must notice it, each by itself."""

    name: str
    commit: str
    must: tuple[str, ...]


@dataclass(frozen=True)
class Baits:
    """Bad candidates on top of what is live, made from one improvement."""

    repository: Repository
    config: Config
    improvement: Improvement

    def all(self) -> Iterator[Bait]:
        """A no-op always; the others where the fix, its tests and the repository hold what they are made of."""
        yield Bait("a change that does nothing", self._base, ("scope", "probe"))
        fix = self._fix()
        tests = {path: content for path, content in fix.items() if is_test(path, self.config)}
        if tests and shown_by_tests(self.improvement.evidence):
            yield Bait("the fix taken back", self._commit(tests), ("tests",))
        for path, text, more in self._files(tests=True):
            yield Bait("a test that skips itself", self._commit(fix | {path: f"{text}{_SKIPPED[more]}".encode()}),
                       ("scope", "honesty"))
            yield Bait("a test that is gone", self._commit(fix | {path: None}), ("scope",))
            break
        yield from self._knowing(fix)

    def _knowing(self, fix: dict[str, bytes | None]) -> Iterator[Bait]:
        asked = sent(self.improvement.finding.probe)
        for path, text, more in self._files(tests=False) if asked else ():
            if asked not in text:  # what stands there already is no objection
                cheat = f"{text}{_KNOWING[more].format(text=asked)}".encode()
                yield Bait("code that knows the probe", self._commit(fix | {path: cheat}), ("honesty",))
                return

    @property
    def _base(self) -> str:
        return self.improvement.base_commit

    def _fix(self) -> dict[str, bytes | None]:
        repository, commit = self.repository, self.improvement.commit
        return {change.path: repository.read(commit, change.path) for change in repository.changed(self._base, commit)}

    def _commit(self, files: dict[str, bytes | None]) -> str:
        return self.repository.commit_files(self._base, files, "Bait for the gate\n")

    def _files(self, *, tests: bool) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Files of the live commit that can be read as source, those of the finding's service first: path, text, and
        the endings of their language."""
        service = self.config.services.get(self.improvement.finding.probe.service)
        home = f"{service.folder}/".removeprefix("./") if service else ""
        for entry in sorted(self.repository.entries(self._base), key=lambda entry: not entry.path.startswith(home)):
            language = next((each for each in (PYTHON, SCRIPT) if entry.path.endswith(each)), None)
            if (language is None or entry.mode != "100644" or decides(entry.path)
                    or is_test(entry.path, self.config) is not tests):
                continue
            text = (self.repository.read(self._base, entry.path) or b"").decode("utf-8", "replace")
            if language is SCRIPT or _parses(text):
                yield entry.path, text, language


def sent(probe: Probe) -> str:
    """A text that the probe sends and that no honest code needs; empty where there is none."""
    if probe.request.get("sql"):
        return " ".join(str(probe.request["sql"]).split())
    path = unquote(urlsplit(str(probe.request.get("path", ""))).path)
    return path if len(path.strip("/")) >= LEAST_TEXT else ""


def shown_by_tests(evidence: Evidence | None) -> bool:
    """Whether the proof saw new tests fail without the change, in a time that can be spent again."""
    tests = next((check for check in evidence.checks if check.name == "tests"), None) if evidence else None
    return tests is not None and tests.seconds <= TESTS_SECONDS and any(
        figure.name.startswith("new tests of") and figure.before != figure.after for figure in tests.measurements)


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True
