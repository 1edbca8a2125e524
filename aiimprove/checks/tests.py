"""The repository's own tests, as the live version has them, still pass on the candidate; its new tests pass too."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aiimprove import atomic
from aiimprove.build import sources
from aiimprove.build.artifacts import source_paths
from aiimprove.checks.junit import Results, run_tests
from aiimprove.checks.sealing import Seal, decides, is_test, witness
from aiimprove.evidence import Check, Measurement, Verdict
from aiimprove.finding import digest_of
from aiimprove.proving import Case, Stand
from aiimprove.release import Release

NAME = "tests"
SHOWN = 5
KEPT_RESULTS = 30


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
        after = self._run("candidate", self.case.candidate)
        if after.problem:
            return Verdict.FAILED, after.problem, ()
        broken = before.passed() - after.passed()
        if broken:
            return self._broken(before, after, broken)
        if forged := _forged(before, after):
            return Verdict.FAILED, forged, self._figures(before, after)
        return self._own(before, after)

    def _broken(self, before: Results, after: Results, broken: set[str]) -> Answer:
        """Asked once more, so that a test that is not always the same does not count against the candidate."""
        measured = self._figures(before, after)
        missing = sorted(broken - set(after.tests))
        if missing:
            return Verdict.FAILED, f"tests are gone: {_listed(missing)}", measured
        again = self._run("again", self.case.candidate)
        lasting = sorted(broken - again.passed())
        if lasting:
            return Verdict.FAILED, f"{len(lasting)} tests that passed fail: {_listed(lasting)}", measured
        return Verdict.INCONCLUSIVE, f"tests fail now and then: {_listed(sorted(broken))}", measured

    def _own(self, before: Results, after: Results) -> Answer:
        """The candidate's new tests, by themselves: they pass with the change, and show it when they fail without."""
        measured = self._figures(before, after)
        alone = self._run("own", self.case.candidate, self.added()) if self.added() else Results()
        own = set(alone.tests) - set(before.tests)
        failing = sorted(name for name in own if alone.tests[name] == "failed")
        if alone.problem or failing:
            return Verdict.FAILED, alone.problem or f"new tests of the candidate fail: {_listed(failing)}", measured
        failed = len([name for name, outcome in before.tests.items() if outcome == "failed"])
        said = f"all {len(before.passed())} tests of {self.name} that passed still pass" + (
            f" ({failed} failed before too)" if failed else "")
        if not own:
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
        return [change.path for change in self.case.changes if change.status == "A" and not decides(change.path)
                and (f"{change.path}/".startswith(f"{self._tests}/") or self._is_beside(change.path))]

    def _is_beside(self, path: str) -> bool:
        """Whether it is a test in the service's own folder, where the config names no folder for them."""
        service = self.case.config.services[self.name]
        home, place = service.folder.removeprefix("./").strip("/."), Path(path)
        within = not home or f"{path}/".startswith(f"{home}/")
        return within and is_test(path) and (not service.tests or (
            service.tests.endswith(".py") and place.parent == Path(self._tests).parent))

    @property
    def _tests(self) -> str:
        service = self.case.config.services[self.name]
        return f"{service.folder}/{service.tests or 'tests'}".removeprefix("./")

    def _before(self) -> Results:
        """The live version's own results, remembered by commit."""
        service, release = self.case.config.services[self.name], self.case.baseline
        key = digest_of([release.commit, self.name, service.test, release.dependencies.get(self.name, ""), "witness"])
        kept = self.case.config.state_folder / "tests" / f"{key}.json"
        if kept.is_file():
            return Results.from_text(kept.read_text("utf-8"))
        results = self._run("baseline", release)
        if not results.problem:
            kept.parent.mkdir(parents=True, exist_ok=True)
            atomic.write(kept, results.to_text())
            _forget(kept.parent)
        return results

    def _run(self, label: str, release: Release, added: Sequence[str] = (), added_from: str = "") -> Results:
        """Live's tests on the code of a release, with a witness among them; or the added files by themselves."""
        release, folder, out = self.exported(label, release, added, added_from)
        told = None if added else witness(out / "tree", self._tests, self.case.config.services[self.name].test)
        if told:
            (out / "tree" / told.path).write_text(told.text)
        return run_tests(self.case, release, self.name, folder, out).without(told.name if told else "")

    def exported(self, label: str, release: Release, added: Sequence[str] = (),
                 added_from: str = "") -> tuple[Release, Path, Path]:
        """What is run, the folder of the service in a tree of its own as its tests are run there, and the folder
        around that tree, in which they may write."""
        out = self.case.work / f"tests-{self.name}-{label}"
        shutil.rmtree(out, ignore_errors=True)
        tree, base, service = out / "tree", self.case.baseline, self.case.config.services[self.name]
        folder = sources(self.case.config, self.case.repository, release.commit, tree, self.name)
        seal = Seal(self.case.repository, base.commit, service, self._tests, self.case.finding is not None)
        seal.close(tree, release.commit, list(dict.fromkeys([*source_paths(service), service.folder])))
        if added:
            home = added_from or release.commit
            seal.empty(tree, [(self.case.repository.read(home, each) or b"").decode("utf-8", "replace")
                              for each in added])
            self.case.repository.export(home, tree, list(added))
        judged = release if self.case.finding is None else replace(release, dependencies=base.dependencies)
        return judged, folder, out


def _forged(before: Results, after: Results) -> str:
    """Why the report is not believed: what must fail in every honest run did not, or the run ended in another way."""
    if before.witness != "failed":
        return ""
    if after.witness != "failed":
        return "the report is forged: a test that must fail did not"
    return "" if after.exit_code == before.exit_code else (
        f"the report is forged: the run ended with {after.exit_code}, and with such a report ends with "
        f"{before.exit_code}")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _forget(folder: Path) -> None:
    by_age = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
    for path in by_age[:-KEPT_RESULTS]:
        path.unlink(missing_ok=True)
