"""No smoke address gets slower than noise explains; and where the clock is the point, the candidate is faster."""

from __future__ import annotations

from collections.abc import Iterator

from aiimprove.checks.pairs import Session, measure
from aiimprove.checks.smoke import addresses
from aiimprove.evidence import Check, Measurement, Verdict
from aiimprove.probes import get
from aiimprove.proving import Stand

NAME = "speed"


def run(stand: Stand) -> Check:
    sessions = {where: measure(stand.baseline.urls[where[0]], stand.candidate.urls[where[0]], where[1],
                               stand.case.config.proof.pairs) for where in _routes(stand)}
    slower = [where for where, session in sessions.items() if session.slower() and _again(stand, where).slower()]
    measured = tuple(_figure(f"{name} {path}", session) for (name, path), session in sessions.items())
    if slower:
        said = "; ".join(f"{name} {path} takes {sessions[name, path].medians[1]:.1f} ms instead of "
                         f"{sessions[name, path].medians[0]:.1f}" for name, path in slower)
        return Check(NAME, Verdict.FAILED, said, measured)
    return _gain(stand, measured) or Check(NAME, Verdict.PASSED, f"none of {len(sessions)} addresses got slower",
                                           measured)


def _routes(stand: Stand) -> Iterator[tuple[str, str]]:
    """What visitors ask for; the address of the finding too, when asking changes nothing and it answers."""
    usual, where = list(addresses(stand.case.config)), _of_the_finding(stand)
    yield from usual
    if where and where not in usual and get(stand.baseline.urls[where[0]] + where[1]).status < 400:
        yield where


def _of_the_finding(stand: Stand) -> tuple[str, str] | None:
    finding = stand.case.finding
    if finding is None or finding.probe.service not in stand.baseline.urls:
        return None
    request = finding.probe.request
    return (finding.probe.service, str(request["path"])) if request.get("method") == "GET" else None


def _gain(stand: Stand, measured: tuple[Measurement, ...]) -> Check | None:
    """Findings whose details say `clock` are proven by time; all others by their probe."""
    finding, where = stand.case.finding, _of_the_finding(stand)
    if finding is None or not finding.details.get("clock") or where is None:
        return None
    sessions = [_again(stand, where), _again(stand, where)]
    figures = (*measured, _figure(f"{where[0]} {where[1]}, once more", sessions[-1]))
    before, after = sessions[-1].medians
    said = f"{where[1]} takes {after:.1f} ms instead of {before:.1f}"
    if all(session.faster() for session in sessions):
        return Check(NAME, Verdict.PASSED, said, figures)
    if any(session.faster() for session in sessions):
        return Check(NAME, Verdict.INCONCLUSIVE, f"{said}, but not every time", figures)
    return Check(NAME, Verdict.FAILED, f"not faster: {said}", figures)


def _again(stand: Stand, where: tuple[str, str]) -> Session:
    name, path = where
    return measure(stand.baseline.urls[name], stand.candidate.urls[name], path, stand.case.config.proof.pairs)


def _figure(name: str, session: Session) -> Measurement:
    before, after = session.medians
    return Measurement(name, round(before, 3), round(after, 3), "ms")
