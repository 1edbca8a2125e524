"""No address gets slower than noise explains; and where the clock is the point, the candidate is faster."""

from __future__ import annotations

from collections.abc import Mapping

from aiimprove.checks.claimed import claimed
from aiimprove.checks.pairs import LEAST_MS, Figures, measure
from aiimprove.checks.smoke import addresses
from aiimprove.evidence import Check, Verdict
from aiimprove.probes import Dropped, get
from aiimprove.proving import Stand
from aiimprove.recording import Traffic

NAME = "speed"
VISITED = 4
"""Kinds of reading that are taken from what visitors asked."""
Where = tuple[str, str]


def run(stand: Stand) -> Check:
    seen = {where: _measured(stand, where) for where in routes(stand)}
    again = {where: _measured(stand, where) for where, found in seen.items() if found.seems_slower(LEAST_MS)}
    measured = tuple(found.measurement(f"{name} {path}") for (name, path), found in seen.items())
    slower = {where: seen[where] for where, found in again.items() if found.slower(LEAST_MS)
              and seen[where].slower(LEAST_MS)}
    if slower:
        return Check(NAME, Verdict.FAILED, _words(slower), measured)
    if unsure := {where: found for where, found in again.items() if found.seems_slower(LEAST_MS)}:
        return Check(NAME, Verdict.INCONCLUSIVE, f"on a machine as busy as this it cannot be told: {_words(unsure)}",
                     measured)
    where = of_the_finding(stand)
    if where and stand.case.finding and stand.case.finding.details.get("clock"):
        verdict, said, more = claimed(stand, *where)
        return Check(NAME, verdict, said, (*measured, *more))
    return Check(NAME, Verdict.PASSED, f"none of {len(seen)} addresses got slower", measured)


def _words(found: Mapping[Where, Figures]) -> str:
    return "; ".join("{} {} takes {:.1f} ms instead of {:.1f}".format(*where, *reversed(each.medians))
                     for where, each in found.items())


def routes(stand: Stand) -> list[Where]:
    """Addresses that must answer, then the address of the finding and what visitors read most, as far as live answers
    them well."""
    usual, where = list(addresses(stand.case.config)), of_the_finding(stand)
    more = dict.fromkeys([*([where] if where else []), *_visited(stand.case.traffic)])
    return usual + [each for each in more if each not in usual and _answers(stand, *each)]


def _visited(traffic: Traffic) -> list[Where]:
    """An example of each kind of reading, the most frequent first."""
    reads = {each.shape: (each.service, each.uri) for each in traffic.examples if each.method == "GET"}
    return [reads[shape] for shape in sorted(reads, key=lambda each: -traffic.met.get(each, 0.0))][:VISITED]


def _answers(stand: Stand, name: str, path: str) -> bool:
    try:
        return name in stand.baseline.urls and get(stand.baseline.urls[name] + path).status < 400
    except Dropped:
        return False


def of_the_finding(stand: Stand) -> Where | None:
    finding = stand.case.finding
    if finding is None or finding.probe.service not in stand.baseline.urls:
        return None
    request = finding.probe.request
    return (finding.probe.service, str(request["path"])) if request.get("method") == "GET" else None


def _measured(stand: Stand, where: Where) -> Figures:
    name, path = where
    return measure(stand.baseline.urls[name], stand.candidate.urls[name], path, stand.case.config.proof.pairs)
