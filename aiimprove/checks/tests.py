"""The repository's own tests, as the live version has them, still pass on the candidate; its new tests pass too."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from aiimprove import atomic
from aiimprove.build import sources
from aiimprove.checks.junit import Results, run_tests
from aiimprove.evidence import Check, Measurement, Verdict
from aiimprove.finding import digest_of
from aiimprove.proving import Case, Stand
from aiimprove.release import Release

NAME = "tests"
SHOWN = 5
KEPT_RESULTS = 30
SETTINGS = ("conftest.py", "pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml", ".coveragerc", "vitest.config.*",
            "vitest.setup.*", "vite.config.*", "jest.config.*", "sitecustomize.py")
"""Files that decide what a test run means; those of the live version count."""


def run(stand: Stand) -> Check:
    case = stand.case
    names = [name for name in case.config.services if _concerned(case, name)]
    if not names:
        return Check(NAME, Verdict.INCONCLUSIVE, "no service that was changed has tests")
    answers = [ServiceTests(case, name).judge() for name in names]
    for worst in (Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.PASSED):
        said = [sentence for verdict, sentence, _ in answers if verdict is worst]
        if said:
            measured = tuple(each for _, _, figures in answers for each in figures)
            return Check(NAME, worst, "; ".join(said), measured)
    raise AssertionError("every answer has a verdict")


def _concerned(case: Case, name: str) -> bool:
    service = case.config.services[name]
    if not service.test:
        return False
    own = ["" if path in ("", ".") else f"{path}/" for path in (*service.sources, service.folder)]
    return any(change.path.startswith(folder) or f"{change.path}/" == folder
               for folder in own for change in case.changes)


Answer = tuple[Verdict, str, tuple[Measurement, ...]]


@dataclass(frozen=True)
class ServiceTests:
    """The tests of one service in one case."""

    case: Case
    name: str

    def judge(self) -> Answer:
        before = self._before()
        if before.problem:
            return Verdict.INCONCLUSIVE, f"the live version's own tests cannot be run: {before.problem}", ()
        if not before.tests:
            return Verdict.INCONCLUSIVE, f"{self.name} has no tests", ()
        if not before.passed():
            return Verdict.INCONCLUSIVE, f"no test of {self.name} passes on the live version either", ()
        after = self._run("candidate", self.case.candidate, self.added())
        if after.problem:
            return Verdict.FAILED, after.problem, ()
        broken = before.passed() - after.passed()
        if broken:
            return self._broken(before, after, broken)
        return self._own(before, after)

    def _broken(self, before: Results, after: Results, broken: set[str]) -> Answer:
        """Asked once more, so that a test that is not always the same does not count against the candidate."""
        measured = self._figures(before, after)
        missing = sorted(broken - set(after.tests))
        if missing:
            return Verdict.FAILED, f"tests are gone: {_listed(missing)}", measured
        again = self._run("again", self.case.candidate, self.added())
        lasting = sorted(broken - again.passed())
        if lasting:
            return Verdict.FAILED, f"{len(lasting)} tests that passed fail: {_listed(lasting)}", measured
        return Verdict.INCONCLUSIVE, f"tests fail now and then: {_listed(sorted(broken))}", measured

    def _own(self, before: Results, after: Results) -> Answer:
        """The candidate's new tests: they pass with the change, and show it when they fail without."""
        measured = self._figures(before, after)
        own = set(after.tests) - set(before.tests)
        failing = sorted(name for name in own if after.tests[name] == "failed")
        if failing:
            return Verdict.FAILED, f"new tests of the candidate fail: {_listed(failing)}", measured
        failed = len([name for name, outcome in before.tests.items() if outcome == "failed"])
        said = f"all {len(before.passed())} tests of {self.name} that passed still pass" + (
            f" ({failed} failed before too)" if failed else "")
        if not own or not self.added():
            return Verdict.PASSED, said, measured
        without = self._run("without", self.case.baseline, self.added(), self.case.candidate.commit)
        showing = len(own - without.passed())
        shown = f"{showing} of them fail without the change" if showing else "they pass without the change too"
        return (Verdict.PASSED, f"{said}; so do {len(own)} new ones, and {shown}",
                (*measured, Measurement(f"new tests of {self.name} that pass", len(own) - showing, len(own), "tests")))

    def _figures(self, before: Results, after: Results) -> tuple[Measurement, ...]:
        kept = sum(1 for name in before.tests if after.tests.get(name) == "passed")
        return (Measurement(f"tests of {self.name} that pass", len(before.passed()), kept, "tests"),)

    def added(self) -> list[str]:
        """New files among the candidate's tests, but for those that decide what a test run means."""
        return [change.path for change in self.case.changes if change.status == "A" and not _decides(change.path)
                and (f"{change.path}/".startswith(f"{self._tests}/") or self._is_beside(change.path))]

    def _is_beside(self, path: str) -> bool:
        """Whether it is a test in the service's own folder, where the config names no folder for them."""
        named, place = self.case.config.services[self.name].tests, Path(path)
        return (not named or named.endswith(".py")) and place.match("test_*.py") and (
            place.parent == Path(self._tests).parent)

    @property
    def _tests(self) -> str:
        service = self.case.config.services[self.name]
        return f"{service.folder}/{service.tests or 'tests'}".removeprefix("./")

    def _before(self) -> Results:
        """The live version's own results, remembered by commit."""
        service, release = self.case.config.services[self.name], self.case.baseline
        key = digest_of([release.commit, self.name, service.test, release.dependencies.get(self.name, "")])
        kept = self.case.config.state_folder / "tests" / f"{key}.json"
        if kept.is_file():
            return Results.from_text(kept.read_text("utf-8"))
        results = self._run("baseline", release, [])
        if not results.problem:
            kept.parent.mkdir(parents=True, exist_ok=True)
            atomic.write(kept, results.to_text())
            _forget(kept.parent)
        return results

    def _run(self, label: str, release: Release, added: list[str], added_from: str = "") -> Results:
        """The live version's tests, and the added files, on the code of a release."""
        out = self.case.work / f"tests-{self.name}-{label}"
        shutil.rmtree(out, ignore_errors=True)
        tree, repository, base = out / "tree", self.case.repository, self.case.baseline.commit
        folder = sources(self.case.config, repository, release.commit, tree, self.name)
        shutil.rmtree(tree / self._tests, ignore_errors=True)
        for path in self._deciding(release.commit):
            (tree / path).unlink(missing_ok=True)
        wanted = [path for path in (self._tests, *self._deciding(base)) if repository.tree(base, path)]
        if wanted:
            repository.export(base, tree, list(dict.fromkeys(wanted)))
        if added:
            repository.export(added_from or release.commit, tree, added)
        return run_tests(self.case, release, self.name, folder, out)

    def _deciding(self, commit: str) -> Iterator[str]:
        folder = self.case.config.services[self.name].folder
        yield from (entry.path for entry in self.case.repository.entries(commit, folder) if _decides(entry.path))


def _decides(path: str) -> bool:
    return any(fnmatch(Path(path).name.lower(), pattern) for pattern in SETTINGS)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _forget(folder: Path) -> None:
    by_age = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
    for path in by_age[:-KEPT_RESULTS]:
        path.unlink(missing_ok=True)
