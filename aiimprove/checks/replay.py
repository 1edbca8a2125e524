"""What visitors asked lately is answered as before: recorded requests go to the live version twice and to the
candidate, each on its own clone of one snapshot.

What differs between the two runs of the live version varies by itself and is ignored, path by path; any other
difference that the finding did not declare fails. A difference must show in two runs of the candidate.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aiimprove.checks.declared import Declared, crashed, declared
from aiimprove.checks.facts import NO_ANSWER, STATUS, Facts, anywhere, kind
from aiimprove.checks.migration import changes_data
from aiimprove.checks.playing import Played, chosen, play
from aiimprove.checks.rows import counts_vary, differences, noise
from aiimprove.checks.touched import watched
from aiimprove.evidence import Check, Measurement, Verdict
from aiimprove.ledger import Mask
from aiimprove.policy import REPLAYED
from aiimprove.proving import Stand
from aiimprove.recording import Recorded
from aiimprove.rehearsal import databases

NAME = "replay"
SHOWN, LONGEST = 4, 60
UNKNOWN = "unknown"
PATIENCE = 3
"""Times the seconds of the first run that later ones may take on a busy machine."""


@dataclass
class _Noise:
    """What varies by itself: by shape and path the kinds of values that were seen there; columns of tables; whether
    even the number of rows does; and known kinds of log lines."""

    kinds: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    rows: Mask = frozenset()
    counts: bool = False
    trouble: frozenset[str] = frozenset()

    def learn(self, stand: Stand, requests: Sequence[Recorded], one: Played, two: Played) -> None:
        for asked, first, second in zip(requests, one.answers, two.answers, strict=False):
            for path in _differing(first, second):
                self.kinds.setdefault((asked.shape, anywhere(path)), set()).update(
                    (kind(first, path), kind(second, path)))
        self.rows |= noise(stand.case.config, one, two)
        self.counts |= counts_vary(stand.case.config, one, two)
        self.trouble |= one.trouble | two.trouble

    def explains(self, asked: Recorded, path: str, after: Facts) -> bool:
        return kind(after, path) in self.kinds.get((asked.shape, anywhere(path)), ())


def run(stand: Stand) -> Check:
    case = stand.case
    requests = chosen(case.traffic, list(stand.baseline.urls), case.config.recorder.replayed)
    if not requests:
        return Check(NAME, Verdict.INCONCLUSIVE, "no request of a visitor was recorded", (
            Measurement(REPLAYED, None, 0),))
    photo, seconds = _prepared(stand), case.config.recorder.seconds
    first, seen = play(stand, case.baseline, "live", requests, seconds, photo=photo), _Noise()
    requests = requests[:len(first.answers)]
    found, watch, touched = dict[str, str](), watched(case), frozenset[int]()
    for turn in range(2):
        again = play(stand, case.baseline, f"again-{turn}", requests, PATIENCE * seconds, photo=photo, watch=watch)
        touched |= again.touched
        seen.learn(stand, requests, first, again)
        shutil.rmtree(again.data.parent)
        new = play(stand, case.candidate, f"candidate-{turn}", requests, PATIENCE * seconds, photo=photo)
        now = dict(_undeclared(stand, requests, first, new, seen))
        shutil.rmtree(new.data.parent)
        found = {name: said for name, said in now.items() if not turn or name in found}
        if not found:
            break
    share = _share(stand, requests, first, touched) if watch.complete else (UNKNOWN, UNKNOWN)
    return _answer(stand, requests, first, list(found.values()), share)


def _prepared(stand: Stand) -> bool:
    """Whether data is changed before the first request: by a migration, or because there was none."""
    return changes_data(stand) or not all((stand.data / name).exists() for name in databases(stand.case.config))


def _answer(stand: Stand, requests: Sequence[Recorded], first: Played, said: list[str],
            share: tuple[str, str]) -> Check:
    shapes = {each.shape for each in requests}
    good = {asked.shape for asked, answer in zip(requests, first.answers, strict=True) if 200 <= answer[STATUS] < 400}
    known = set(stand.case.traffic.met) | shapes
    measured = (Measurement(REPLAYED, None, len(requests)),
                Measurement("shapes of the last day's requests replayed", None, f"{len(shapes)} of {len(known)}"),
                Measurement("of them answered well by the live version", None, len(good)),
                Measurement("share of the last day's requests through the changed lines", None, share[0]),
                Measurement("of their shapes answered well and compared", None, share[1]))
    if said:
        more = f" (and {len(said) - SHOWN} more)" if len(said) > SHOWN else ""
        return Check(NAME, Verdict.FAILED, f"{'; '.join(said[:SHOWN])}{more}", measured)
    writes = sum(each.writes for each in requests)
    alike = "answered as before" if stand.case.finding else "answered without a new error"
    return Check(NAME, Verdict.PASSED, f"{len(requests)} recorded requests ({writes} of them write) of {len(shapes)} "
                                       f"shapes are {alike}; {_covered(*share)}", measured)


def _covered(share: str, shapes: str) -> str:
    if not share.endswith("%"):
        return "which of the last day's requests run through the changed lines is unknown"
    return f"{share} of the last day's requests run through the changed lines, {shapes} of their shapes were proven"


def _share(stand: Stand, requests: Sequence[Recorded], first: Played, touched: Collection[int]) -> tuple[str, str]:
    """Which share of the requests ran through the changed lines, and how many of their shapes were answered well. A
    shape counts as often as it was met, by the share of its examples that ran through."""
    met = stand.case.traffic.met
    examples = Counter(each.shape for each in requests)
    passed = Counter(requests[number].shape for number in touched)
    through = sum(met.get(shape, 0.0) * count / examples[shape] for shape, count in passed.items())
    good = {requests[number].shape for number in touched if 200 <= first.answers[number][STATUS] < 400}
    return f"{100 * through / (sum(met.values()) or 1):.1f} %", f"{len(good)} of {len(passed)}"


def _undeclared(stand: Stand, requests: Sequence[Recorded], old: Played, new: Played,
                seen: _Noise) -> Iterator[tuple[str, str]]:
    """What and a sentence, for each difference that neither noise nor the finding explains. A commit of a human's may
    change what it likes, but for new server errors."""
    finding, config = stand.case.finding, stand.case.config
    wanted = declared(finding) if finding else Declared()
    mended = False
    for number, (asked, before) in enumerate(zip(requests, old.answers, strict=True)):
        after = new.answers[number] if number < len(new.answers) else {STATUS: NO_ANSWER}
        if wanted.is_mended(before, after):
            mended |= asked.writes
        elif finding is None:
            if crashed(after) and not crashed(before) and not seen.explains(asked, STATUS, after):
                yield f"{number}", f"{_words(asked)} {_status(before, after)}"
        else:
            paths = [path for path in _differing(before, after)
                     if not seen.explains(asked, path, after) and not wanted.covers(path, before, asked)]
            if paths:
                yield f"{number} {paths[0]}", f"{_words(asked)} {_how(paths, before, after)}"
    if finding is None:
        return
    if not mended:
        yield from ((said, said) for said in differences(config, old, new, seen.rows, counted=not seen.counts))
    yield from ((line, f"the log says something new: {line}") for line in sorted(new.trouble - seen.trouble))


def _differing(one: Facts, two: Facts) -> list[str]:
    """Paths whose values differ in kind or content; when the status does, that says it all."""
    if one[STATUS] != two[STATUS]:
        return [STATUS]
    return [path for path in dict.fromkeys([*one, *two])
            if kind(one, path) != kind(two, path) or one.get(path) != two.get(path)]


def _how(paths: Sequence[str], before: Facts, after: Facts) -> str:
    if paths[0] == STATUS:
        return _status(before, after)
    more = f" and {len(paths) - 1} more differences" if len(paths) > 1 else ""
    return f"has {_value(after, paths[0])} in {paths[0]} instead of {_value(before, paths[0])}{more}"


def _status(before: Facts, after: Facts) -> str:
    return f"answers {after[STATUS] or 'nothing'} instead of {before[STATUS] or 'nothing'}"


def _value(found: Mapping[str, object], path: str) -> str:
    return repr(found[path])[:LONGEST] if path in found else "nothing"


def _words(asked: Recorded) -> str:
    return f"{asked.service} {asked.method} {asked.uri.partition('?')[0][:LONGEST]}"
