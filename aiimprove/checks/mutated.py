"""A candidate with one mistake put into it, in front of its judges: what is quick is asked first."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from aiimprove.checks import contract, probe, smoke
from aiimprove.checks.junit import Results, run_tests
from aiimprove.checks.recording import counts_statements
from aiimprove.checks.tests import ServiceTests
from aiimprove.errors import MigrationFailed, NotHealthy, TooSlow
from aiimprove.evidence import Verdict
from aiimprove.mutation import Mutant
from aiimprove.proving import Case, Stand, running_copy
from aiimprove.release import Release

SLACK_SECONDS = 10.0
SHARE_OF_ALL = 4
"""All tests are asked only when one run of them fits this many times into the time that is left."""
TIMES_AS_LONG = 4
"""A mutant whose tests take this many times as long, and a bit, hangs."""


class Mutated:
    """The judges of all mutants of one candidate, until the time `ends` (monotonic)."""

    def __init__(self, stand: Stand, ends: float) -> None:
        self._stand, self._ends = stand, ends
        self._suites: dict[str, list[Suite]] = {}
        self._trees: dict[str, Path | None] = {}
        self._runs = 0

    def left(self) -> float:
        """Seconds."""
        return self._ends - time.monotonic()

    def noticed_by(self, mutant: Mutant) -> str:
        """Who notices this mistake; empty: nobody."""
        name = owner(self._stand.case, mutant.path)
        if not name:
            return ""
        suites = self._of(name)
        return (self._tested(suites[:-1], mutant) or self._running(name, mutant)
                or self._tested(suites[-1:], mutant))

    def _tested(self, suites: list[Suite], mutant: Mutant) -> str:
        return next((suite.title for suite in suites if suite.notices(mutant, self.left())), "")

    def doubt(self) -> str:
        """Why nothing that the tests noticed can be believed: they fail without a mistake by now."""
        suites = [suite for suites in self._suites.values() for suite in suites if suite.noticed]
        broken = next((suite for suite in suites if not suite.still_good()), None)
        return f"{broken.title} fail now and then without any mistake" if broken else ""

    def without(self) -> str:
        """Which judges could not be asked, in words."""
        none = [name for name, suites in self._suites.items() if not any(suite.usual for suite in suites)]
        return f" ({', '.join(none)} has no tests that can be run)" if none else ""

    def _of(self, name: str) -> list[Suite]:
        """The candidate's new tests by themselves, then the live version's."""
        if name not in self._suites:
            tests = ServiceTests(self._stand.case, name)
            tested = bool(self._stand.case.config.services[name].test)
            new = [Suite("its new tests", tests, tuple(tests.added()))] if tested and tests.added() else []
            self._suites[name] = [*new, Suite("the tests", tests)] if tested else []
        return self._suites[name]

    def _running(self, name: str, mutant: Mutant) -> str:
        """Which check of the running copies notices the mistake. Where the release holds the file as something that
        was built from it, nobody can."""
        tree, case = self._tree(name), self._stand.case
        file = tree / mutant.path if tree else None
        if tree is None or file is None or not file.is_file():
            return ""
        self._runs += 1
        with _written(file, mutant.text):
            for stale in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
                stale.unlink()
            release = replace(case.candidate, services={**case.candidate.services, name: str(tree)})
            try:
                with running_copy(case.config, release, self._stand.data, case.work / f"mutant-{self._runs}",
                                  case.box) as copy:
                    stand = replace(self._stand, candidate=copy)
                    return _first_to_notice(stand)
            except TooSlow:
                return ""
            except (NotHealthy, MigrationFailed):
                return "the start"

    def _tree(self, name: str) -> Path | None:
        """A copy of what the candidate's release holds of a service, to be written to; an absolute path is found as
        it is where a release names an artifact. None when the release keeps only what was built."""
        if name not in self._trees:
            case = self._stand.case
            source, tree = case.config.state_folder / "artifacts" / case.candidate.services[name], None
            if not case.config.services[name].artifact:
                tree = case.work / f"mutants-{name}"
                shutil.copytree(source, tree, symlinks=True)
            self._trees[name] = tree
        return self._trees[name]


@dataclass
class Suite:
    """Tests of a service on the candidate's tree: the live version's, or the `added` files."""

    title: str
    tests: ServiceTests
    added: tuple[str, ...] = ()
    noticed: int = 0
    usual: set[str] | None = None
    """What passes without any mistake; None before it was tried."""
    _runs: int = 0
    _seconds: float = 0.0

    def notices(self, mutant: Mutant, left: float) -> bool:
        """Whether a test that passes on the candidate does not pass with this mistake. False without the time for
        it, in seconds: what was not seen was not noticed."""
        file = self._place[2] / "tree" / mutant.path
        began = time.monotonic()
        usual = self._usual(left)
        left -= time.monotonic() - began
        if not usual or not file.is_file() or left < self._seconds:
            return False
        with _written(file, mutant.text):
            found = bool(usual - self._run(TIMES_AS_LONG * self._seconds + SLACK_SECONDS).passed())
        self.noticed += found
        return found

    def still_good(self) -> bool:
        return (self.usual or set()) <= self._run(0).passed()

    def _usual(self, left: float) -> set[str]:
        if self.usual is None:
            began = time.monotonic()
            self.usual = self._run(left if self.added else left / SHARE_OF_ALL).passed() if left > 0 else set()
            self._seconds = time.monotonic() - began
        return self.usual

    @cached_property
    def _place(self) -> tuple[Release, Path, Path]:
        return self.tests.exported(f"mutants-{len(self.added)}", self.tests.case.candidate, self.added)

    def _run(self, seconds: float) -> Results:
        release, folder, out = self._place
        self._runs += 1
        place = out / f"run-{self._runs}"
        place.mkdir()
        return run_tests(self.tests.case, release, self.tests.name, folder, place, seconds)


def owner(case: Case, path: str) -> str:
    """The service that a file belongs to, the one with the innermost folder; empty when none has it."""
    folders = {name: [each.removeprefix("./").rstrip("/") for each in (*service.sources, service.folder)]
               for name, service in case.config.services.items()}
    fitting = [(len(folder), name) for name, every in folders.items() for folder in every
               if folder in ("", ".") or path == folder or path.startswith(f"{folder}/")]
    return max(fitting)[1] if fitting else ""


def _first_to_notice(stand: Stand) -> str:
    """Once is enough for the probe to fail: a mistake that hangs is not waited for again and again. A probe that counts
    statements is left out: it would need two more copies for each mistake."""
    if counts_statements(stand):
        return next((check.NAME for check in (smoke, contract) if check.run(stand).verdict is Verdict.FAILED), "")
    if not probe.passes(stand, stand.candidate):
        return probe.NAME
    return next((check.NAME for check in (probe, smoke, contract) if check.run(stand).verdict is Verdict.FAILED), "")


@contextmanager
def _written(file: Path, text: str) -> Iterator[None]:
    before = file.read_bytes()
    file.write_bytes(text.encode())
    try:
        yield
    finally:
        file.write_bytes(before)
