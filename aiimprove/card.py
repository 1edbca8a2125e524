"""The card: all that a human is shown about one improvement, made from the diff and the measurements.

An author's words appear only as its claim. Characters that could make the text lie are made visible.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from aiimprove.advice import advice
from aiimprove.event import Event
from aiimprove.evidence import Evidence
from aiimprove.improvement import Improvement
from aiimprove.policy import WAY_BACK, one_way
from aiimprove.prediction import FIGURE, predict

_KEPT = "\n\t"


def card(improvement: Improvement, events: Sequence[Event] = (), refusals: Sequence[str] = (),
         dev_url: str | None = None) -> dict[str, Any]:
    """The data of `show --json`."""
    finding, evidence = improvement.finding, improvement.evidence
    before, after = _before_after(evidence)
    return {
        "id": improvement.id, "kind": finding.kind, "title": visible(finding.title), "status": improvement.status,
        "digest": improvement.digest, "detector": finding.detector, "author": improvement.author,
        "finding": {"summary": visible(finding.summary), "where": visible(finding.place), "cause": finding.cause,
                    "impact": finding.impact, "fingerprint": finding.fingerprint,
                    "probe": {"kind": finding.probe.kind, "service": finding.probe.service,
                              "request": dict(finding.probe.request), "expect": dict(finding.probe.expect)}},
        "before": before, "after": after, "diff": diff(improvement.patch), "files": _files(improvement.patch),
        "checks": [{"name": check.name, "verdict": check.verdict, "summary": visible(check.summary),
                    "seconds": round(check.seconds, 2)} for check in (evidence.checks if evidence else ())],
        "rollback": _rollback(evidence),
        "prediction": _prediction(evidence),
        "not_checked": [visible(each) for each in (evidence.not_checked if evidence else ())],
        "claim": visible(improvement.claim) or None, "reason": visible(improvement.reason), "refusals": list(refusals),
        "branch": improvement.branch, "commit": improvement.commit, "base_commit": improvement.base_commit,
        "release": improvement.release, "approach": improvement.approach,
        "also": [visible(title) for title in (evidence.also.values() if evidence else ())],
        "rejection": _rejection(improvement), "would_help": [visible(each) for each in advice(improvement)],
        "approval": {"by": improvement.approval.by, "at": improvement.approval.at} if improvement.approval else None,
        "events": [{"at": event.at, "name": event.name, "performer": event.performer,
                    "message": visible(str(event.body.get("message", "")))} for event in events],
        "dev_url": dev_url, "created": improvement.created, "updated": improvement.updated,
    }


def visible(text: str) -> str:
    """The text with control, bidirectional and invisible characters written out as <U+XXXX>."""
    return "".join(char if _harmless(char) else f"<U+{ord(char):04X}>" for char in text)


def diff(patch: str) -> str:
    """The patch, made visible. Where every line of a file ends in a carriage return, those are left out."""
    files = re.split(r"^(?=diff --git )", patch, flags=re.MULTILINE)
    return "".join(visible(_without_returns(each)) for each in files)


def _without_returns(file: str) -> str:
    head, hunks, body = file.partition("\n@@ ")
    lines = [line for line in body.split("\n")[1:] if line and line[0] in "+- "]
    return head + hunks + body.replace("\r\n", "\n") if all(line.endswith("\r") for line in lines) else file


def _harmless(char: str) -> bool:
    return char in _KEPT or (char.isascii() and char.isprintable()) or unicodedata.category(char) not in (
        "Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _before_after(evidence: Evidence | None) -> tuple[str, str]:
    """The figures of the probe, or of the first check that measured anything, in words."""
    checks = [check for check in (evidence.checks if evidence else ()) if check.measurements]
    if not checks:
        return "", ""
    checks.sort(key=lambda check: check.name != "probe")
    rows = [row for row in checks[0].measurements if row.name != FIGURE]
    return (visible("; ".join(_figure(row.name, row.before, row.unit) for row in rows)),
            visible("; ".join(_figure(row.name, row.after, row.unit) for row in rows)))


def _prediction(evidence: Evidence | None) -> dict[str, Any] | None:
    found = predict(evidence)
    return found.to_json() if found else None


def _rejection(improvement: Improvement) -> dict[str, Any] | None:
    no = improvement.rejection
    return None if no is None else {
        "by": visible(no.by), "at": no.at, "because": no.because, "until": no.until, "approach": no.approach,
        "words": visible(no.words), "comes_back": visible(no.comes_back)}


def _rollback(evidence: Evidence | None) -> dict[str, Any] | None:
    """What the proof says about the way back; None when none was tried."""
    found = next((check for check in (evidence.checks if evidence else ()) if check.name == WAY_BACK), None)
    if found is None:
        return None
    figures = {row.name: row.after for row in found.measurements}
    return {"words": visible(found.summary), "one_way": bool(one_way(evidence)), "seconds": figures.get("way back"),
            "rows_lost": figures.get("rows lost"), "writes": figures.get("writes")}


def _figure(name: str, value: float | str | None, unit: str) -> str:
    """A measurement in words; one that is words already stands for itself."""
    if isinstance(value, str):
        return value
    shown = "-" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{name}: {shown}{' ' + unit if unit else ''}"


def _files(patch: str) -> list[str]:
    head = "diff --git "
    return [visible(_name(line.removeprefix(head))) for line in patch.split("\n") if line.startswith(head)]


def _name(pair: str) -> str:
    """The path after the change in `a/PATH b/PATH`, where either may be quoted and both may hold blanks."""
    before, after = pair[:len(pair) // 2], pair[len(pair) // 2 + 1:]
    if before.replace("a/", "b/", 1) != after:
        after = re.split(r' (?="?b/)', pair, maxsplit=1)[-1]
    return after.strip('"').removeprefix("b/")
