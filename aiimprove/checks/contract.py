"""The interface that the candidate publishes keeps every promise of the live one."""

from __future__ import annotations

from aiimprove.checks.interface import Break, breaks
from aiimprove.evidence import Check, Measurement, Verdict
from aiimprove.finding import Finding, Json
from aiimprove.probes import Dropped, get
from aiimprove.proving import Copy, Stand

NAME = "contract"
SHOWN = 5


def run(stand: Stand) -> Check:
    documents = {name: service.openapi for name, service in stand.case.config.services.items() if service.openapi}
    if not documents:
        return Check(NAME, Verdict.PASSED, "no service publishes an OpenAPI document: nothing was promised")
    said: list[str] = []
    wanted: list[str] = []
    measured: list[Measurement] = []
    for name, path in documents.items():
        before, after = _document(stand.baseline, name, path), _document(stand.candidate, name, path)
        if before is None:
            return Check(NAME, Verdict.INCONCLUSIVE, f"the live {name} gives no OpenAPI document at {path}")
        if after is None:
            return Check(NAME, Verdict.FAILED, f"{name} no longer gives an OpenAPI document at {path}")
        for found in breaks(before, after):
            (wanted if is_the_fix(found, stand.case.finding) else said).append(f"{name}: {found}")
        measured.append(Measurement(f"operations of {name}", _operations(before), _operations(after)))
    if said:
        more = f" (and {len(said) - SHOWN} more)" if len(said) > SHOWN else ""
        return Check(NAME, Verdict.FAILED, "; ".join(said[:SHOWN]) + more, tuple(measured))
    alike = f"only numbers that crashed are bounded ({len(wanted)} new bounds)" if wanted else "no difference"
    return Check(NAME, Verdict.PASSED, f"callers of the live interface notice {alike}", tuple(measured))


def _document(copy: Copy, name: str, path: str) -> Json:
    try:
        answer = get(copy.urls[name] + path)
    except Dropped:
        return None
    found = answer.json()
    return found if answer.status == 200 and isinstance(found, dict) else None


def _operations(document: Json) -> int:
    return sum(len(item) for item in document.get("paths", {}).values())


def is_the_fix(found: Break, finding: Finding | None) -> bool:
    """A new bound on a number that crashes is what was asked for; and on one of its name that crashes elsewhere, as
    both may be declared in one place."""
    details = finding.details if finding else {}
    operation = f"{details.get('method')} {details.get('route')}"
    own = [(operation, each["parameter"]) for each in details.get("parameters", ())]
    known = {*own, *map(tuple, details.get("siblings", ())), (operation, details.get("parameter", ""))}
    return bool(found.bound) and (found.operation, found.place.split()[-1]) in known
