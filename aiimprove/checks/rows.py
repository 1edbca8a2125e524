"""Whether two runs of the same requests wrote the same rows, as far as two runs of the live version do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aiimprove.checks.playing import Played
from aiimprove.ledger import Loss, Mask, losses, mask
from aiimprove.rehearsal import databases
from aiimprove.settings import Config
from aiimprove.snapshot import rows


def noise(config: Config, one: Played, two: Played) -> Mask:
    """What differs between two runs of one version."""
    return mask(_losses(config, one.data, two.data)) | mask(_losses(config, two.data, one.data))


def differences(config: Config, old: Played, new: Played, ignored: Mask, *,
                counted: bool) -> Iterator[str]:
    """What was written otherwise, a sentence for each table. What differed before the first request is no writing.
    `counted`: how many rows were written is compared too."""
    known = ignored | mask(_losses(config, old.before, new.before)) | mask(_losses(config, new.before, old.before))
    yield from (f"rows are written otherwise ({loss})" for loss in _losses(config, old.data, new.data, known))
    for name in databases(config) if counted else ():
        before, after = _written(old, name), _written(new, name)
        yield from (f"{after[table]:+d} rows in {table} instead of {before[table]:+d}"
                    for table in before.keys() & after.keys() if before[table] != after[table])


def counts_vary(config: Config, one: Played, two: Played) -> bool:
    return any(_written(one, name) != _written(two, name) for name in databases(config))


def _written(played: Played, name: str) -> dict[str, int]:
    if not (played.before / name).exists() or not (played.data / name).exists():
        return {}
    before, after = rows(played.before / name), rows(played.data / name)
    return {table: count - before[table] for table, count in after.items() if table in before}


def _losses(config: Config, one: Path, two: Path, ignored: Mask = frozenset()) -> list[Loss]:
    return [loss for name in databases(config) if (one / name).exists() and (two / name).exists()
            for loss in losses(one / name, two / name, ignored)]
