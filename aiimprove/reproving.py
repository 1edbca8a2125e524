"""Proving an improvement again from its bundle alone, and whether that comes to the same."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from aiimprove import bundle, config
from aiimprove.build import build
from aiimprove.errors import VerificationFailed
from aiimprove.evidence import Evidence, Verdict
from aiimprove.finding import Finding, Json
from aiimprove.policy import outcome
from aiimprove.proving import Case, judge_digest, prove
from aiimprove.recording import NO_TRAFFIC, Traffic
from aiimprove.repository import Repository
from aiimprove.sandbox import find_box
from aiimprove.settings import Config


@dataclass(frozen=True)
class Proofs:
    """Two proofs of one improvement. `signed_by` is the id of a key, or empty; `same_judge`: by the same checks with
    the same limits."""

    improvement: str
    signed_by: str
    same_judge: bool
    then: Evidence
    now: Evidence

    @property
    def same(self) -> bool:
        return outcome(self.then) is outcome(self.now)

    def to_json(self) -> dict[str, Json]:
        before = {check.name: check.verdict for check in self.then.checks}
        after = {check.name: check.verdict for check in self.now.checks}
        return {"improvement": self.improvement, "signed_by": self.signed_by or None, "same_judge": self.same_judge,
                "same": self.same, "then": outcome(self.then), "now": outcome(self.now),
                "checks": [{"name": name, "then": before.get(name), "now": after.get(name),
                            "summary": next((check.summary for check in self.now.checks if check.name == name), "")}
                           for name in dict.fromkeys([*before, *after])]}


def verify(file: Path, progress: Callable[[str], None], *, prove_again: bool = True) -> Proofs | Mapping[str, Json]:
    """Prove what a bundle holds again, in a folder that is gone afterwards; without `prove_again` only what its
    statement says, once everything in it was found to be as it says.

    Raises UsageError for what is no bundle, VerificationFailed for one that was changed.
    """
    scratch = Path(tempfile.mkdtemp(prefix="aiimprove-"))
    try:
        said, key = bundle.unpack(file, scratch / "bundle")
        return _proven(said, key, scratch, progress) if prove_again else {**said["predicate"], "signed_by": key}
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _proven(said: Mapping[str, Json], key: str, scratch: Path, progress: Callable[[str], None]) -> Proofs:
    told = said["predicate"]["improvement"]
    finding, then = Finding.from_json(told["finding"]), Evidence.from_json(told["evidence"])
    folder, source = scratch / "repository", scratch / "bundle"
    repository = Repository.unpacked(folder, (source / bundle.SOURCE).read_bytes(), told["base_commit"])
    if repository.diff(told["base_commit"], told["commit"]) != told["patch"]:
        raise VerificationFailed("the commits in it are not those of the patch that was proven")
    settings = _settings(source, folder, scratch)
    box = find_box()
    baseline, candidate = (build(settings, repository, told[each], box, progress) for each in ("base_commit", "commit"))
    (source / bundle.DATA).mkdir(exist_ok=True)
    now = prove(Case(settings, repository, finding, baseline, candidate, source / bundle.DATA, scratch / "proof", box,
                     progress, traffic=_traffic(source)))
    return Proofs(told["id"], key, then.judge == judge_digest(settings), then, now)


def _traffic(source: Path) -> Traffic:
    file = source / bundle.TRAFFIC
    return Traffic.from_json(json.loads(file.read_text("utf-8"))) if file.exists() else NO_TRAFFIC


def _settings(source: Path, folder: Path, scratch: Path) -> Config:
    """The config of the bundle, with a state folder of its own; nobody's live secrets are asked for."""
    shutil.copyfile(source / config.FILE, folder / config.FILE)
    found = config.load(folder)
    return replace(found, state_folder=scratch / "state", logs_folder=scratch / "logs",
                   env_file=replace(found.env_file, live=""))


def must_be_the_same(proofs: Proofs) -> None:
    """Raises VerificationFailed when the new proof comes to something else."""
    if not proofs.same:
        raise VerificationFailed(f"{proofs.improvement} came to {outcome(proofs.then)} then and comes to "
                                 f"{outcome(proofs.now)} now")
    if outcome(proofs.now) is Verdict.ERRORED:
        raise VerificationFailed("it could not be proven again on this machine")
