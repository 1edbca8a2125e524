"""A changed schema only adds, locks the database for a moment at most, and the live version can live with it."""

from __future__ import annotations

from pathlib import Path

from aiimprove.checks.smoke import answers
from aiimprove.errors import MigrationFailed, NotHealthy
from aiimprove.evidence import Check, Measurement, Verdict
from aiimprove.proving import Stand, running_copy
from aiimprove.rehearsal import databases, migrate
from aiimprove.snapshot import clone, contract_breaks, definitions, schema

NAME = "migration"


def run(stand: Stand) -> Check:
    if not changes_data(stand):
        return Check(NAME, Verdict.PASSED, "the databases stay as they are")
    broken = [said for path in databases(stand.case.config) for said in _broken(stand, path)]
    if broken:
        return Check(NAME, Verdict.FAILED, "the live version could not work on: " + "; ".join(broken))
    return _rehearsed(stand)


def changes_data(stand: Stand) -> bool:
    """Whether the candidate brings a migration, or left its databases with another schema."""
    return any(_differs(stand, path) for path in databases(stand.case.config)) or any(
        _is_migration(stand, change.path) for change in stand.case.changes)


def only_indexes(stand: Stand) -> bool:
    """Whether all that it brings to the databases are indexes: they hold no rows and refuse none."""
    both = [_both(stand, path) for path in databases(stand.case.config)]
    if any(before.exists() != after.exists() for before, after in both):
        return False
    known = [(_statements(before), _statements(after)) for before, after in both if before.exists()]
    return not stand.rehearsal.changed and all(
        before <= after and all(each.upper().split()[:2] == ["CREATE", "INDEX"] for each in after - before)
        for before, after in known)


def _statements(database: Path) -> set[str]:
    return {each for each in definitions(database) if not each.startswith("PRAGMA")}


def _rehearsed(stand: Stand) -> Check:
    """The candidate's migration on a clone that is in use, then the live version on what came of it."""
    case = stand.case
    try:
        seen = stand.rehearsal
    except MigrationFailed as failed:
        return Check(NAME, Verdict.FAILED, str(failed))
    locked, most = seen.lock_ms, case.config.deploy.migration_lock_ms
    measured = (Measurement("longest lock", None, round(locked, 1), "ms"),)
    if locked > most:
        return Check(NAME, Verdict.FAILED, f"the database is locked for {locked:.0f} ms, {most:.0f} are allowed",
                     measured)
    wrong = "; ".join(seen.breaks) or _old_version(stand)
    if wrong:
        return Check(NAME, Verdict.FAILED, f"the live version cannot go on with the data: {wrong}", measured)
    return Check(NAME, Verdict.PASSED, f"it only adds, locks for {locked:.0f} ms, and the live version works on it",
                 measured)


def _old_version(stand: Stand) -> str:
    case, work = stand.case, stand.case.work / "migration"
    data = work / "migrated"
    clone(case.config, stand.data, data)
    for release in (case.baseline, case.candidate):
        migrate(case.config, release, data, case.box, case.config.proof.nice)
    try:
        with running_copy(case.config, case.baseline, data, work / "old", case.box, migrated=True) as copy:
            return "; ".join(answers(copy, case.config))
    except NotHealthy as failed:
        return str(failed)


def _is_migration(stand: Stand, path: str) -> bool:
    folders = [f"{service.folder}/{service.migrations}/" for service in stand.case.config.services.values()
               if service.migrations]
    return any(path.startswith(folder.removeprefix("./")) for folder in folders)


def _differs(stand: Stand, path: str) -> bool:
    before, after = _both(stand, path)
    if not before.exists() or not after.exists():
        return before.exists() or after.exists()
    return definitions(before) != definitions(after)


def _broken(stand: Stand, path: str) -> list[str]:
    before, after = _both(stand, path)
    return contract_breaks(schema(before), schema(after)) if before.exists() and after.exists() else []


def _both(stand: Stand, path: str) -> tuple[Path, Path]:
    return stand.baseline.data / path, stand.candidate.data / path
