"""What would help an improvement that could not be proven: said per check that could not tell."""

from __future__ import annotations

from aiimprove.evidence import Evidence, Verdict
from aiimprove.improvement import Improvement, Status
from aiimprove.policy import binding

_HELPS = {
    "probe": "what was found comes and goes: look for what it depends on",
    "tests": "tests of the service (services.NAME.test) that pass on the live version, every time",
    "strength": "tests that fail when the changed lines are changed",
    "replay": "recorded requests of visitors ([recorder]), or tests that pass",
    "rollback": "a write that can be tried on both versions (services.NAME.journeys)",
    "contract": "an address that gives the OpenAPI document (services.NAME.openapi)",
    "speed": "a calmer machine, or more pairs (proof.pairs)",
}
_MACHINE = "a machine that can start both versions: its reason says what failed"


def advice(improvement: Improvement) -> list[str]:
    """What would help an UNPROVEN improvement, ending with the command that proves it again; empty for any other."""
    if improvement.status is not Status.UNPROVEN:
        return []
    again = f"then 'aiimprove test {improvement.id}' proves it again"
    return [*(_about(improvement.evidence) or [_MACHINE]), again]


def _about(evidence: Evidence | None) -> list[str]:
    checks = evidence.checks if evidence else ()
    return [f"{check.name}: {_HELPS.get(check.name, check.summary)}" for check in checks
            if evidence and check.verdict is Verdict.INCONCLUSIVE and binding(check, evidence)]
