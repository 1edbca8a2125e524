"""The candidate plays fair: none of the anti-cheating rules objects to a line that it adds."""

from __future__ import annotations

from aiimprove.checks.scope import is_test
from aiimprove.evidence import Check, Measurement, Verdict
from aiimprove.honesty import RULES, spoken
from aiimprove.honesty.written import Known, Written
from aiimprove.launch import dependencies_folder
from aiimprove.proving import Case, Stand

NAME = "honesty"
SHOWN = 6


def run(stand: Stand) -> Check:
    return judge(stand.case)


def judge(case: Case) -> Check:
    """What the rules say about the lines of a case; nothing needs to run for that."""
    said = spoken(written(case), known(case))
    measured = (Measurement("rules that object", None, len(said), f"of {len(RULES)}"),)
    if not said:
        return Check(NAME, Verdict.PASSED, f"none of {len(RULES)} rules against cheating objects", measured)
    sentences = [f"{name}: {each}" for name, several in said.items() for each in several]
    more = f" (and {len(sentences) - SHOWN} more)" if len(sentences) > SHOWN else ""
    return Check(NAME, Verdict.FAILED, "; ".join(sentences[:SHOWN]) + more, measured)


def written(case: Case) -> list[Written]:
    """Every text file that the candidate adds or changes."""
    found = []
    for change in case.changes:
        if change.status == "D" or change.binary or change.mode_after in ("120000", "160000"):
            continue
        before = case.repository.read(case.baseline.commit, change.path)
        after = case.repository.read(case.candidate.commit, change.path) or b""
        found.append(Written(change.path, None if before is None else before.decode("utf-8", "replace"),
                             after.decode("utf-8", "replace"), is_test(change.path, case.config)))
    return found


def known(case: Case) -> Known:
    paths = frozenset(entry.path for entry in case.repository.entries(case.baseline.commit))
    declared = [case.repository.read(case.baseline.commit, path) or b"" for path in sorted(paths)
                if path.endswith("package.json") and "node_modules" not in path]
    return Known(case.finding, paths, _packages(case), b"\n".join(declared).decode("utf-8", "replace"))


def _packages(case: Case) -> frozenset[str]:
    """The top names that the live version's Python services can import besides the standard library."""
    folders = [dependencies_folder(case.config, case.baseline, name) for name in case.config.services]
    return frozenset(each.name.partition(".")[0] for folder in folders if folder
                     for each in folder.glob("lib/python3*/site-packages/*"))
