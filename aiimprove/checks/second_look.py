"""A second, independent look where safety is the point: the detector that found the hole looks at the candidate."""

from __future__ import annotations

from aiimprove.detectors import DETECTORS, INSTRUMENTED, RECORDED, Subject, instrument, load
from aiimprove.finding import Finding, Kind
from aiimprove.proving import Stand, running_copy


def finds_it(stand: Stand) -> bool | None:
    """Whether the detector of a finding about security finds the same cause in the same place of the candidate.

    By its own way through the service, not by the probe; on a copy of its own that records, where the detector needs
    one. None for findings of another kind or of nobody known. Raises NotHealthy.
    """
    case, finding = stand.case, stand.case.finding
    if finding is None or finding.kind is not Kind.SECURITY or finding.detector not in DETECTORS:
        return None
    source, work = case.work / "second-look", case.work / "second-copy"
    case.repository.export(case.candidate.commit, source)
    if finding.detector not in INSTRUMENTED:
        return _sees(finding, Subject(case.config, stand.candidate, source, stand.candidate.logs, source, case.traffic))
    with running_copy(case.config, case.candidate, stand.data, work / "copy", case.box,
                      env=instrument(case.config, work / "recorder")) as copy:
        return _sees(finding, Subject(case.config, copy, source, copy.logs, copy.data / RECORDED, case.traffic))


def _sees(finding: Finding, subject: Subject) -> bool:
    return any(found.fingerprint == finding.fingerprint or (found.cause, found.probe) == (finding.cause, finding.probe)
               for found in load(finding.detector).look(subject))
