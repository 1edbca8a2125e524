"""The proof notices mistakes: most mutants of the changed lines are caught by the tests, the probe or the contract."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

from aiimprove.checks.mutated import Mutated
from aiimprove.checks.scope import is_test
from aiimprove.evidence import Check, Measurement, Verdict
from aiimprove.mutation import Mutant, chosen, mutants, speaks
from aiimprove.proving import Case, Stand

NAME = "strength"
LEAST_NOTICED = 0.8
FEWEST = 4
"""How many must have been tried, when there was no time for all, before their share says anything."""
SHOWN = 4

Tried = list[tuple[Mutant, str]]
"""Mutants, and who noticed each (empty: nobody)."""


def run(stand: Stand) -> Check:
    case = stand.case
    wanted = chosen(list(_every(case)), case.config.proof.mutants)
    if not wanted:
        said = f"nothing in the changed lines can be got wrong in a small way ({_kinds(case)})"
        return Check(NAME, Verdict.PASSED, said, (Measurement("mistakes tried", None, 0),))
    mutated = Mutated(stand, time.monotonic() + case.config.proof.mutation_seconds)
    tried = list(_tried(case, mutated, wanted))
    doubt = mutated.doubt()
    verdict, said = (Verdict.INCONCLUSIVE, doubt) if doubt else _judged(tried, len(wanted), mutated)
    return Check(NAME, verdict, said, (
        Measurement("mistakes noticed", None, sum(1 for _, who in tried if who), f"of {len(tried)}"),
        Measurement("mistakes tried", None, len(tried), f"of {len(wanted)}")))


def _every(case: Case) -> Iterator[Mutant]:
    for change in case.changes:
        if change.status != "D" and not change.binary and speaks(change.path) and not is_test(change.path, case.config):
            before, after = (case.repository.read(commit, change.path) or b"" for commit in (
                case.baseline.commit, case.candidate.commit))
            yield from mutants(change.path, before.decode("utf-8", "replace"), after.decode("utf-8", "replace"))


def _kinds(case: Case) -> str:
    return ", ".join(change.path for change in case.changes[:SHOWN]) or "nothing was changed"


def _tried(case: Case, mutated: Mutated, wanted: list[Mutant]) -> Iterator[tuple[Mutant, str]]:
    for number, mutant in enumerate(wanted, 1):
        if mutated.left() <= 0:
            return
        case.progress(f"checking: {NAME} (mistake {number} of {len(wanted)})")
        yield mutant, mutated.noticed_by(mutant)


def _judged(tried: Tried, wanted: int, mutated: Mutated) -> tuple[Verdict, str]:
    noticed = [who for _, who in tried if who]
    by = ", ".join(f"{count} by {who}" for who, count in Counter(noticed).most_common())
    said = f"{len(noticed)} of {len(tried)} small mistakes in the changed lines are noticed{f' ({by})' if by else ''}"
    missed = [str(mutant) for mutant, who in tried if not who]
    if missed:
        said += f"; nobody notices: {', '.join(missed[:SHOWN])}" + (
            f" and {len(missed) - SHOWN} more" if len(missed) > SHOWN else "")
    if len(tried) < min(wanted, FEWEST):
        return Verdict.INCONCLUSIVE, f"there was time for {len(tried)} of {wanted} small mistakes only"
    if len(noticed) < LEAST_NOTICED * len(tried):
        return Verdict.INCONCLUSIVE, f"{said}. What is missing is a test of these lines{mutated.without()}"
    rest = wanted - len(tried)
    return Verdict.PASSED, said + (f" (there was no time for {rest} more)" if rest else "")
