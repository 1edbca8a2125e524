"""A small service in a real repository, and the production judge for what is changed in it; for bench/judge.py."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from aiimprove.build import build
from aiimprove.checks import honesty, probe, scope, strength, tests
from aiimprove.errors import AiimproveError, BuildFailed, MigrationFailed, NotHealthy
from aiimprove.evidence import Check, Verdict
from aiimprove.finding import Finding
from aiimprove.process import run
from aiimprove.proving import Case, Copy, Stand
from aiimprove.proving.copies import running_copy
from aiimprove.release import Release
from aiimprove.repository import Repository
from aiimprove.sandbox import Box, find_box
from aiimprove.settings import Config, Deploy, Proof, Service

PYTHON = str(getattr(sys, "_base_executable", sys.executable))
GIT_ENV = {"PATH": "/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
Files = Mapping[str, bytes | None]

RUNNER = '''\
import glob, importlib.util, signal, sys
from xml.sax.saxutils import quoteattr

rows = []
sys.path.insert(0, ".")
for path in sorted(glob.glob("tests/test_*.py")):
    spec = importlib.util.spec_from_file_location(path[6:-3], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in sorted(name for name in vars(module) if name.startswith("test_")):
        said = ""
        try:
            signal.alarm(2)
            vars(module)[name]()
        except BaseException as error:
            said = f"<failure message={quoteattr(repr(error))}/>"
        signal.alarm(0)
        rows.append(f"<testcase classname={quoteattr(module.__name__)} name={quoteattr(name)}>{said}</testcase>")
open(sys.argv[1], "w").write(f"<testsuite>{''.join(rows)}</testsuite>")
sys.exit(any("failure" in row for row in rows))
'''


def stop(*_: object) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Answer:
    """What the judge said: whether a human would be asked, and the check that objected."""

    accepted: bool
    check: str
    said: str


class Ground:
    """A service of the folder app/ in a repository of its own, with its first version live."""

    def __init__(self, folder: Path, files: Mapping[str, str | bytes], finding: Finding) -> None:
        home, state = folder / "repository", folder / "state"
        for each in (home, state, folder / "live"):
            each.mkdir(parents=True)
        for path, text in {"app/run_tests.py": RUNNER, **files}.items():
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_bytes(text.encode() if isinstance(text, str) else text)
        for words in (["init", "-q", "-b", "main"], ["add", "-A"],
                      ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "first"]):
            run(["git", *words], cwd=home, env=GIT_ENV, deadline=30)
        service = Service(folder="app", start=[PYTHON, "server.py", "{port}"], health="/health",
                          test=[PYTHON, "run_tests.py", "{report}"], tests="tests")
        self.config: Config = replace(
            Config(), services={"app": service}, repository=home, state_folder=state, logs_folder=folder / "logs",
            deploy=Deploy(healthy_answers=1, start_seconds=10), proof=Proof(tests_seconds=60, nice=10))
        self.repository, self.box = Repository(home), find_box()
        self.first = self.repository.resolve("HEAD")
        self.folder, self.finding, self.turns = folder, finding, 0
        self.baseline = build(self.config, self.repository, self.first, self.box, stop)

    @contextmanager
    def live(self) -> Iterator[Bench]:
        """The live version, running."""
        with running_copy(self.config, self.baseline, self.folder / "live", self.folder / "base", self.box) as copy:
            yield Bench(self, copy, self.box)


@dataclass(frozen=True)
class Bench:
    """The judge's place: live runs, and candidates are put beside it one after the other."""

    ground: Ground
    live: Copy
    box: Box

    def judge(self, files: Mapping[str, str | None]) -> Answer:
        """Asks the checks of the production judge in their order, to the first that objects: what one check fails is
        FAILED, whatever the others say."""
        ground = self.ground
        ground.turns += 1
        work = ground.folder / f"work{ground.turns}"
        given: Files = {path: None if text is None else text.encode() for path, text in files.items()}
        try:
            commit = ground.repository.commit_files(ground.first, given, "candidate")
            case = Case(ground.config, ground.repository, ground.finding, ground.baseline,
                        replace(ground.baseline, commit=commit), ground.folder / "live", work, self.box, stop)
            return self._asked(case)
        except AiimproveError as error:
            return Answer(False, "refused", str(error).splitlines()[0])
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _asked(self, case: Case) -> Answer:
        for look in (scope.run, honesty.run):
            answer = look(Stand(case, self.live, self.live, self.ground.folder / "live"))
            if answer.verdict is not Verdict.PASSED:
                return _objected(answer)
        try:
            candidate: Release = build(case.config, case.repository, case.candidate.commit, self.box, stop)
            case = replace(case, candidate=candidate)
            return self._running(case)
        except (BuildFailed, NotHealthy, MigrationFailed) as failed:
            return Answer(False, "start", str(failed).splitlines()[0])

    def _running(self, case: Case) -> Answer:
        data = self.ground.folder / "live"
        with running_copy(case.config, case.candidate, data, case.work / "candidate", self.box) as copy:
            for look in (probe.run, tests.run, strength.run):
                answer = look(Stand(case, self.live, copy, data))
                if answer.verdict is not Verdict.PASSED:
                    return _objected(answer)
        return Answer(True, "", "")


def _objected(answer: Check) -> Answer:
    return Answer(False, answer.name, answer.summary)
