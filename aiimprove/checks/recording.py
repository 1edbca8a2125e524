"""Copies that record their statements, for a probe that counts them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from aiimprove.detectors import instrument
from aiimprove.probes.recorded import STATEMENTS
from aiimprove.proving import Copy, Stand, running_copy
from aiimprove.release import Release


def counts_statements(stand: Stand) -> bool:
    """Whether the probe of the finding can only be asked of a copy that records."""
    finding = stand.case.finding
    return finding is not None and finding.probe.kind == STATEMENTS


@contextmanager
def recording(stand: Stand) -> Iterator[Stand]:
    """The stand as it is; where statements are counted, with both versions on copies of their own that record: all
    other checks look at copies that nobody listens to. Raises NotHealthy, MigrationFailed."""
    if not counts_statements(stand):
        yield stand
        return
    case, work = stand.case, stand.case.work / "recording"
    env = instrument(case.config, work / "recorder")
    with ExitStack() as stack:
        def copy(release: Release, name: str) -> Copy:
            return stack.enter_context(running_copy(case.config, release, stand.data, work / name, case.box, env=env))

        yield replace(stand, baseline=copy(case.baseline, "baseline"), candidate=copy(case.candidate, "candidate"))
