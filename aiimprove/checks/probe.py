"""The heart of the proof: the finding's probe fails on the baseline every time and passes on the candidate."""

from __future__ import annotations

from collections.abc import Iterator

from aiimprove.answer import Replay
from aiimprove.checks.recording import recording
from aiimprove.checks.second_look import finds_it
from aiimprove.checks.variants import seed, variants
from aiimprove.evidence import Check, Measurement, Verdict
from aiimprove.prediction import FIGURE
from aiimprove.probes import replay
from aiimprove.proving import Copy, Stand

NAME = "probe"
TIMES = 3
SHOWN = 3


def run(stand: Stand) -> Check:
    with recording(stand) as counting:
        return _looked(counting)


def _looked(stand: Stand) -> Check:
    before, after = [], []
    for _ in range(TIMES):
        before.append(_replayed(stand, stand.baseline))
        after.append(_replayed(stand, stand.candidate))
    verdict, sentence = _judged(before, after)
    asked, bad = _varied(stand) if verdict is Verdict.PASSED else (0, [])
    if bad:
        verdict, sentence = Verdict.FAILED, f"variants of the probe still fail: {'; '.join(bad[:SHOWN])}"
    elif asked:
        sentence += f"; so it is in {asked} variants"
    again = finds_it(stand) if verdict is Verdict.PASSED else None
    if again:
        verdict, sentence = Verdict.FAILED, f"{_detector(stand)} finds the same on the candidate"
    elif again is False:
        sentence += f"; {_detector(stand)} does not find it any more, by its own way"
    return Check(NAME, verdict, sentence, (
        Measurement("what was seen", before[-1].observed, after[-1].observed),
        Measurement("the probe fails", _failures(before), _failures(after), f"of {TIMES} times"),
        Measurement("variants of the probe that fail", asked, len(bad), f"of {asked}"), *_figures(before, after)))


def passes(stand: Stand, copy: Copy) -> bool:
    """Whether a copy passes the probe, asked once."""
    return _replayed(stand, copy).passed


def _detector(stand: Stand) -> str:
    return f"the detector {stand.case.finding.detector}" if stand.case.finding else ""


def _varied(stand: Stand) -> tuple[int, list[str]]:
    """How many variants fail on the live version, and what was seen of those that fail on the candidate too."""
    finding, bad, asked = stand.case.finding, [], 0
    assert finding is not None
    for each in variants(finding, seed(stand.case.config.state_folder, finding.probe)):
        where = each.service
        if not replay(each, stand.baseline.urls.get(where, ""), stand.baseline.data).passed:
            asked += 1
            seen = replay(each, stand.candidate.urls.get(where, ""), stand.candidate.data)
            bad += [] if seen.passed else [seen.observed]
    return asked, bad


def _replayed(stand: Stand, copy: Copy) -> Replay:
    finding = stand.case.finding
    assert finding is not None
    return replay(finding.probe, copy.urls.get(finding.probe.service, ""), copy.data)


def _figures(before: list[Replay], after: list[Replay]) -> Iterator[Measurement]:
    """The figure behind the answers, where both have one of the same unit: what live is held against later."""
    known = [sorted(each.value for each in replays if each.value is not None) for replays in (before, after)]
    if all(known) and before[-1].unit == after[-1].unit:
        yield Measurement(FIGURE, known[0][len(known[0]) // 2], known[1][len(known[1]) // 2], after[-1].unit)


def _failures(replays: list[Replay]) -> int:
    return sum(not each.passed for each in replays)


def _judged(before: list[Replay], after: list[Replay]) -> tuple[Verdict, str]:
    failed_before, failed_after = _failures(before), _failures(after)
    seen = f"before: {before[-1].observed}; after: {after[-1].observed}"
    if failed_before == 0:
        return Verdict.FAILED, f"not reproduced: the live version passes the probe ({before[-1].observed})"
    if failed_after == TIMES:
        return Verdict.FAILED, f"the problem is still there ({seen})"
    if failed_before < TIMES or failed_after:
        return Verdict.INCONCLUSIVE, (f"the live version failed {failed_before} of {TIMES} times, the candidate "
                                      f"{failed_after} of {TIMES} times ({seen})")
    return Verdict.PASSED, f"the problem is gone ({seen})"
