"""The way back, taken before anybody is asked: the candidate writes, the live version goes on with its data, and then
the candidate again.

Both work on one folder of data, as two slots do: the candidate's own copy, migrated and used by the checks before.
What the live version does to its own rows in its daily work (on its own copy) is no loss.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiimprove.checks.journeys import Visitor, Written, well
from aiimprove.checks.migration import changes_data, only_indexes
from aiimprove.checks.smoke import answers
from aiimprove.errors import MigrationFailed, NotHealthy, TooSlow
from aiimprove.evidence import Check, Measurement, Verdict
from aiimprove.ledger import Loss, Mask, losses, mask, rows_lost
from aiimprove.probes import Unreachable
from aiimprove.proving import Copy, Stand, running_on, until_healthy
from aiimprove.rehearsal import databases
from aiimprove.settings import Config
from aiimprove.snapshot import clone

NAME = "rollback"
SHOWN, GONE = 3, 404
LOST, WARM, COLD, WRITES, MIGRATED = "rows lost", "way back", "way back, started again", "writes", "migrations"


@dataclass(frozen=True)
class _Usual:
    """How the live version fares on its own data: reads that always go well, writes that crash, smoke paths that
    fail, and what it changes by itself."""

    reads: frozenset[str]
    broken: frozenset[str]
    smoke: frozenset[str]
    changes: Mask


@dataclass
class _Seen:
    """What came of the way back; `against` says why it is none."""

    against: list[str]
    lost: int = 0
    warm: float | None = None
    cold: float | None = None
    writes: int = 0


def run(stand: Stand) -> Check:
    migrated = changes_data(stand)
    seen = _Seen(list(_rewritten(stand)) if migrated else [])
    _there_and_back(stand, _usual(stand), seen)
    decides = migrated and not (seen.against or only_indexes(stand))
    measured = (Measurement(LOST, None, seen.lost, "rows"), Measurement(WARM, None, seen.warm, "s"),
                Measurement(COLD, None, seen.cold, "s"), Measurement(WRITES, None, seen.writes),
                Measurement(MIGRATED, None, int(decides)))
    if seen.against:
        more = f" (and {len(seen.against) - SHOWN} more)" if len(seen.against) > SHOWN else ""
        return Check(NAME, Verdict.FAILED, f"one way, because {'; '.join(seen.against[:SHOWN])}{more}", measured)
    if not seen.writes:
        return Check(NAME, Verdict.INCONCLUSIVE, "rollback not proven: no write could be tried", measured)
    return Check(NAME, Verdict.PASSED, f"rollback proven: {seen.warm:.1f} s, {seen.lost} rows lost", measured)


def _usual(stand: Stand) -> _Usual:
    config, old, work = stand.case.config, stand.baseline, stand.case.work / NAME
    failing = frozenset(answers(old, config))
    with Visitor(config, old) as visitor:
        written = visitor.write()
        before = _photo(config, old.data, work / "usual-before")
        reads = visitor.read(written)
        broken = written.broken() | visitor.write().broken()
    after = _photo(config, old.data, work / "usual-after")
    good = frozenset(name for name, statuses in reads.items() if all(map(well, statuses)))
    return _Usual(good, frozenset(broken), failing, mask(_losses(before, after)))


def _there_and_back(stand: Stand, usual: _Usual, seen: _Seen) -> None:
    config, new, work = stand.case.config, stand.candidate, stand.case.work / NAME
    with Visitor(config, new) as visitor:
        written = visitor.write()
        reads = visitor.read(written)
        seen.writes = written.succeeded
        first = _photo(config, new.data, work / "written")
        good = [name for name, statuses in reads.items() if all(map(well, statuses))]
        seen.against += _back(stand, usual, seen, written)
        second = _photo(config, new.data, work / "went-back")
        again = _bad(visitor, written, good)
    third = _photo(config, new.data, work / "forward")
    seen.against += [f"{name} of the candidate answers {_worst(bad)} after the way back and forward"
                     for name, bad in again.items()]
    lost = [*_losses(first, second, usual.changes), *_losses(second, third, usual.changes)]
    seen.lost = rows_lost(lost)
    seen.against += [f"rows are lost ({loss})" for loss in lost]


def _back(stand: Stand, usual: _Usual, seen: _Seen, written: Written) -> list[str]:
    """What the live version, started anew on the candidate's data, cannot do any more."""
    case, began = stand.case, time.monotonic()
    try:
        with running_on(case.config, case.baseline, stand.candidate.data, case.work / NAME / "old", case.box,
                        only=_keepers(case.config)) as old:
            seen.cold = round(time.monotonic() - began, 2)
            seen.warm, failing = _verified(case.config, old)
            return [f"the live version's {said}" for said in failing if said not in usual.smoke] + [
                *_broken(case.config, old, usual, written)]
    except TooSlow:
        raise  # on a busy machine that says nothing about the data
    except (NotHealthy, Unreachable) as failed:
        return [f"the live version does not run on the data afterwards: {failed}"]


def _keepers(config: Config) -> list[str]:
    """The services that keep data; all, when the config names none."""
    return [name for name, service in config.services.items() if service.databases or service.migrate]


def _verified(config: Config, old: Copy) -> tuple[float, list[str]]:
    """Seconds of what stands before a switch back to a warm slot, and what its smoke paths say; the switch itself is
    one rename."""
    began = time.monotonic()
    until_healthy(config, old)
    failing = answers(old, config)
    return round(time.monotonic() - began, 2), failing


def _broken(config: Config, old: Copy, usual: _Usual, written: Written) -> Iterator[str]:
    """The writes come last: what they add is not what is read here."""
    with Visitor(config, old) as visitor:
        for name, bad in _bad(visitor, written, usual.reads).items():
            yield f"the live version's {name} answers {_worst(bad)} afterwards"
        failing = visitor.write().broken() - usual.broken
        for name in sorted(failing & visitor.write().broken() if failing else ()):
            yield f"the live version's {name} fails afterwards"


def _bad(visitor: Visitor, written: Written, wanted: Collection[str]) -> dict[str, list[int]]:
    """How those of the wanted reads answer that do not go well, twice: a busy machine may be late once."""
    found: dict[str, list[int]] = {name: [] for name in wanted}
    for _ in range(2):
        again = visitor.read(written, list(found)) if found else {}
        found = {name: bad for name, statuses in again.items()
                 if (bad := [status for status in statuses if not well(status) and status != GONE])}
    return found


def _rewritten(stand: Stand) -> Iterator[str]:
    """What the candidate's migration does to rows that are there."""
    try:
        changed = stand.rehearsal.changed
    except MigrationFailed as failed:
        yield str(failed)
        return
    yield from (f"its migration rewrites rows ({loss}), and the way back does not bring back what they held"
                for loss in changed)


def _photo(config: Config, data: Path, place: Path) -> Mapping[str, Path]:
    clone(config, data, place)
    return {name: place / name for name in databases(config) if (place / name).exists()}


def _losses(before: Mapping[str, Path], after: Mapping[str, Path], ignored: Mask = frozenset()) -> list[Loss]:
    return [loss for name in before if name in after for loss in losses(before[name], after[name], ignored)]


def _worst(statuses: list[int]) -> str:
    found = max(statuses, key=lambda status: status or 600)
    return str(found) if found else "nothing"
