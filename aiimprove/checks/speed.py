"""No smoke address gets slower than noise explains; and where the clock is the point, the candidate is faster."""

from __future__ import annotations

from collections.abc import Iterator

from aiimprove.checks.claimed import claimed
from aiimprove.checks.pairs import LEAST_MS, Figures, measure
from aiimprove.checks.smoke import addresses
from aiimprove.evidence import Check, Verdict
from aiimprove.probes import get
from aiimprove.proving import Stand

NAME = "speed"
Where = tuple[str, str]


def run(stand: Stand) -> Check:
    seen = {where: _measured(stand, where) for where in routes(stand)}
    slower = [where for where, found in seen.items()
              if found.slower(LEAST_MS) and _measured(stand, where).slower(LEAST_MS)]
    measured = tuple(found.measurement(f"{name} {path}") for (name, path), found in seen.items())
    if slower:
        said = "; ".join(f"{name} {path} takes {seen[name, path].medians[1]:.1f} ms instead of "
                         f"{seen[name, path].medians[0]:.1f}" for name, path in slower)
        return Check(NAME, Verdict.FAILED, said, measured)
    where = of_the_finding(stand)
    if where and stand.case.finding and stand.case.finding.details.get("clock"):
        verdict, said, more = claimed(stand, *where)
        return Check(NAME, verdict, said, (*measured, *more))
    return Check(NAME, Verdict.PASSED, f"none of {len(seen)} addresses got slower", measured)


def routes(stand: Stand) -> Iterator[Where]:
    """What visitors ask for; the address of the finding too, when asking changes nothing and it answers."""
    usual, where = list(addresses(stand.case.config)), of_the_finding(stand)
    yield from usual
    if where and where not in usual and get(stand.baseline.urls[where[0]] + where[1]).status < 400:
        yield where


def of_the_finding(stand: Stand) -> Where | None:
    finding = stand.case.finding
    if finding is None or finding.probe.service not in stand.baseline.urls:
        return None
    request = finding.probe.request
    return (finding.probe.service, str(request["path"])) if request.get("method") == "GET" else None


def _measured(stand: Stand, where: Where) -> Figures:
    name, path = where
    return measure(stand.baseline.urls[name], stand.candidate.urls[name], path, stand.case.config.proof.pairs)
