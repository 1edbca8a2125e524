"""Running a service's tests in the box, and reading the JUnit XML that they write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree

from aiimprove import process
from aiimprove.config import read_env_file
from aiimprove.journal import last_lines
from aiimprove.launch import Place, launch
from aiimprove.proving import Case
from aiimprove.release import Release
from aiimprove.sandbox import boxed

LARGEST_REPORT = 32 << 20


@dataclass(frozen=True)
class Results:
    """How each test ended: passed, failed or skipped, by its id. `problem` says why there is nothing to read;
    `witness` how the test ended that must fail (empty: it was not reported), `exit_code` how the run did."""

    tests: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    witness: str = ""
    exit_code: int = 0

    def without(self, name: str) -> Results:
        """These results with the witness of that name told apart."""
        told = [each for each in self.tests if name and each.partition("::")[2].endswith(name)]
        rest = {each: outcome for each, outcome in self.tests.items() if each not in told}
        return replace(self, tests=rest, witness=self.tests[told[0]] if len(told) == 1 else "")

    def passed(self) -> set[str]:
        return {name for name, outcome in self.tests.items() if outcome == "passed"}

    def to_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Results:
        return cls(**json.loads(text))


def run_tests(case: Case, release: Release, name: str, folder: Path, out: Path,
              seconds: float = 0.0) -> Results:
    """Runs the tests of a service in `folder`, an exported tree, with loopback only; `out` is theirs to write.

    `seconds` is another deadline than the config's.
    """
    deadline = seconds or case.config.proof.tests_seconds
    data, report = out / "data", out / "report.xml"
    data.mkdir(parents=True, exist_ok=True)
    words = [word.replace("{report}", str(report)) for word in case.config.services[name].test]
    place = Place({}, data, read_env_file(case.config.env_file.dev), role="test")
    start = replace(launch(case.config, release, name, place, words), cwd=folder)
    argv, env = boxed(case.box, start, writable=[folder, out], network="loopback")
    done = process.run(argv, cwd=folder, env=env, deadline=deadline, nice=case.config.proof.nice,
                       log=out / "tests.log")
    if done.timed_out:
        return Results(problem=f"the tests of {name} took longer than {deadline:g} seconds")
    if not report.is_file() or report.is_symlink():
        return Results(problem=f"the tests of {name} wrote no report:\n{last_lines(out / 'tests.log')}")
    return replace(read_report(report), exit_code=done.exit_code)


def read_report(report: Path) -> Results:
    """The outcome of every test case. Documents that declare entities are not read."""
    text = report.read_bytes() if report.stat().st_size <= LARGEST_REPORT else b""
    if not text or b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        return Results(problem="the report of the tests is empty, too large, or no JUnit XML")
    try:
        cases = list(ElementTree.fromstring(text).iter("testcase"))
    except ElementTree.ParseError as error:
        return Results(problem=f"the report of the tests cannot be read: {error}")
    found: dict[str, str] = {}
    for case in cases:
        identity = f"{case.get('classname', '')}::{case.get('name', '')}"
        outcome = _outcome(case)
        found[identity] = outcome if found.get(identity, outcome) == outcome else "failed"
    return Results(found)


def _outcome(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"
