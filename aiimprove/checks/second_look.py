"""A second, independent look where safety is the point: the detector that found the hole looks at the candidate."""

from __future__ import annotations

from aiimprove.detectors import DETECTORS, Subject, load
from aiimprove.finding import Kind
from aiimprove.proving import Stand


def finds_it(stand: Stand) -> bool | None:
    """Whether the detector of a finding about security finds the same cause in the same place of the candidate.

    By its own way through the service, not by the probe. None for findings of another kind or of nobody known.
    """
    case, finding = stand.case, stand.case.finding
    if finding is None or finding.kind is not Kind.SECURITY or finding.detector not in DETECTORS:
        return None
    source = case.work / "second-look"
    case.repository.export(case.candidate.commit, source)
    subject = Subject(case.config, stand.candidate, source, stand.candidate.logs, source)
    return finding.fingerprint in {found.fingerprint for found in load(finding.detector).look(subject)}
