"""The proof of one candidate: both copies are started, every check looks at them, and the answers are the evidence."""

from __future__ import annotations

import hashlib
import importlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from aiimprove.errors import AiimproveError, MigrationFailed, NotHealthy
from aiimprove.evidence import Check, Evidence, Verdict
from aiimprove.finding import Finding, digest_of
from aiimprove.policy import REPLAY, WAY_BACK
from aiimprove.proving.also import also_mended
from aiimprove.proving.copies import Copy, running_copy
from aiimprove.recording import NO_TRAFFIC, Traffic
from aiimprove.rehearsal import Rehearsal, rehearse
from aiimprove.release import Release
from aiimprove.repository import Repository
from aiimprove.sandbox import Box
from aiimprove.settings import Config
from aiimprove.snapshot import clone
from aiimprove.tree import Change

if TYPE_CHECKING:
    from aiimprove.checks import Checker

ALL: tuple[str, ...] = ("scope", "honesty", "probe", "smoke", "contract", "migration", "speed", "resources", "replay",
                        "rollback", "tests", "strength")
"""The modules of `aiimprove.checks`, in the order in which they look: what is quick first. `rollback` writes to the
data of both copies, so whoever asks them comes before it."""
ABOUT_A_FINDING = frozenset({"honesty", "probe", "scope", "strength"})
ONLY_OF_THE_GOOD = frozenset({"strength"})
"""What takes long, and says nothing about a candidate that another check has refused already."""
NEVER_CHECKED = ("how pages look in a browser", "how it behaves under load")


@dataclass(frozen=True)
class Case:
    """What is to be proven. Without a finding it is a commit of a human's: nothing was found that must be gone, and
    a human may change any file. `snapshot` may be in use; it is copied once, for both. `work` is scratch,
    `traffic` what visitors asked lately, `others` what else was found on the live version."""

    config: Config
    repository: Repository
    finding: Finding | None
    baseline: Release
    candidate: Release
    snapshot: Path
    work: Path
    box: Box
    progress: Callable[[str], None]
    checks: tuple[str, ...] = ALL
    traffic: Traffic = NO_TRAFFIC
    others: tuple[Finding, ...] = ()

    @cached_property
    def changes(self) -> list[Change]:
        return self.repository.changed(self.baseline.commit, self.candidate.commit)


@dataclass(frozen=True)
class Stand:
    """What a check looks at: the case, and both copies while they run. `data` is what both were cloned from."""

    case: Case
    baseline: Copy
    candidate: Copy
    data: Path

    @cached_property
    def rehearsal(self) -> Rehearsal:
        """What the candidate's migration does to the data. Raises MigrationFailed, MachineFailed."""
        case = self.case
        return rehearse(case.config, case.candidate, self.data, case.work / "rehearsal", case.box,
                        serving=case.baseline, nice=case.config.proof.nice)


def prove(case: Case) -> Evidence:
    """Runs every check of the case. What the machine failed at is `errored`, what the candidate failed at `failed`."""
    return prove_several([case])[0]


def prove_several(cases: Sequence[Case]) -> list[Evidence]:
    """`prove` for several cases beside one pair of copies: those of the first one run for all."""
    with ExitStack() as stack:
        stand = _stand(cases[0], stack)
        return [_evidence(replace(stand, case=case) if isinstance(stand, Stand) else stand, case) for case in cases]


def _wanted(case: Case) -> list[str]:
    return [name for name in case.checks if case.finding or name not in ABOUT_A_FINDING]


def _evidence(stand: Stand | Check, case: Case) -> Evidence:
    skipped = sorted(set(ALL) - set(_wanted(case)))
    also = {} if isinstance(stand, Check) else also_mended(case.others, stand.baseline, stand.candidate)
    answers = [stand] if isinstance(stand, Check) else list(_answers(_wanted(case), stand))
    unchecked = (*NEVER_CHECKED, *_not_replayed(answers), *(f"the check named {name}" for name in skipped),
                 *_about_the_box(case.box))
    probe = case.finding.probe.digest() if case.finding else ""
    return Evidence(case.baseline.commit, case.candidate.commit, tuple(answers), unchecked, case.candidate.artifact,
                    judge_digest(case.config), probe, time.time(), also)


def judge_digest(config: Config) -> str:
    """A digest over who judges: the code of all checks and of what they stand on, and their limits in the config."""
    package = Path(__file__).parent.parent
    files = [*sorted((package / "checks").rglob("*.py")), *sorted((package / "proving").glob("*.py")),
             *sorted((package / "honesty").glob("*.py")),
             *sorted((package / "mutation").glob("*.py")), *sorted((package / "probes").glob("*.py")),
             *(package / f"{name}.py" for name in ("alike", "answer", "ledger", "openapi", "policy", "rehearsal",
                                                   "samples", "snapshot"))]
    code = {str(path.relative_to(package)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return digest_of([code, config.limits.changed_files, config.limits.changed_lines,
                      asdict(replace(config.proof, nice=0)), config.deploy.migration_lock_ms,
                      [config.recorder.replayed, config.recorder.seconds],
                      {name: service.journeys for name, service in config.services.items()}])


def _stand(case: Case, stack: ExitStack) -> Stand | Check:
    """Both copies, running; or the answer when one of them cannot be had to run."""
    data = case.work / "snapshot"
    began = time.monotonic()
    try:
        clone(case.config, case.snapshot, data)
        case.progress("starting the live version on a copy of the data")
        baseline = stack.enter_context(running_copy(case.config, case.baseline, data, case.work / "baseline", case.box))
    except (AiimproveError, OSError) as error:
        return Check("start", Verdict.ERRORED, f"the live version could not be copied: {error}", (),
                     time.monotonic() - began)
    try:
        case.progress("starting the candidate beside it")
        candidate = stack.enter_context(running_copy(case.config, case.candidate, data, case.work / "candidate",
                                                     case.box))
    except (NotHealthy, MigrationFailed) as error:
        return Check("start", Verdict.FAILED, f"the candidate does not start: {error}", (), time.monotonic() - began)
    except (AiimproveError, OSError) as error:
        return Check("start", Verdict.ERRORED, f"the candidate could not be started: {error}", (),
                     time.monotonic() - began)
    return Stand(case, baseline, candidate, data)


def _answers(wanted: list[str], stand: Stand) -> Iterator[Check]:
    refused = False
    for name in wanted:
        if not (refused and name in ONLY_OF_THE_GOOD):
            answer = _ask(name, stand)
            refused |= answer.verdict in (Verdict.FAILED, Verdict.ERRORED) and name != WAY_BACK
            yield answer


def _ask(name: str, stand: Stand) -> Check:
    """The answer of one check, with the time it took."""
    began = time.monotonic()
    stand.case.progress(f"checking: {name}")
    checker: Checker = importlib.import_module("aiimprove.checks").load(name)
    try:
        answer = checker.run(stand)
    except (AiimproveError, OSError, sqlite3.Error) as error:
        answer = _broken(name, stand, error)
    return replace(answer, seconds=round(time.monotonic() - began, 3))


_ENDING_SECONDS = 1.0
"""How long a service may still seem to run after its connections broke: its box ends after it."""


def _broken(name: str, stand: Stand, error: Exception) -> Check:
    until, pause = time.monotonic() + _ENDING_SECONDS, Event()
    while stand.candidate.alive() and time.monotonic() < until:
        pause.wait(0.05)
    if stand.baseline.alive() and not stand.candidate.alive():
        return Check(name, Verdict.FAILED, f"the candidate ended while it was looked at ({error})")
    return Check(name, Verdict.ERRORED, f"it could not be checked: {error}")


def _not_replayed(answers: list[Check]) -> tuple[str, ...]:
    nothing = any(each.name == REPLAY and each.verdict is Verdict.INCONCLUSIVE for each in answers)
    return ("requests of visitors (none were recorded lately)",) if nothing else ()


def _about_the_box(box: Box) -> tuple[str, ...]:
    if box.name == "bubblewrap":
        return ()
    return (f"what the candidate does to this machine (the box here is: {box.name})",)
