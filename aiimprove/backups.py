"""Verified backups of the live data: made, listed, looked into, and forgotten within a limit.

In the state folder: `backups/<name>/` holds the data as it stood, `backups/<name>.json` says what it is. A backup is
there as a whole or not at all: both are written under another name first, and the folder is renamed last.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from aiimprove import atomic
from aiimprove.errors import MachineFailed, NotFound
from aiimprove.settings import Config
from aiimprove.snapshot import Rows, backup, rows


@dataclass(frozen=True)
class Kept:
    """A backup: when it was made (unix seconds), why, its size, and the rows of each table of each database."""

    name: str
    folder: Path
    made: float
    why: str
    bytes: int
    databases: Mapping[str, Rows]

    @property
    def rows(self) -> int:
        return sum(count for tables in self.databases.values() for count in tables.values())


def folder(config: Config) -> Path:
    return config.state_folder / "backups"


def restoring(config: Config) -> Path:
    """The note about a restore under way."""
    return config.state_folder / "run" / "restoring.json"


def restore_under_way(config: Config) -> bool:
    """Whether a restore was begun and not ended; whoever did it may have died."""
    return restoring(config).is_file()


def make(config: Config, data: Path, name: str, why: str) -> Kept:
    """Copy a data folder that may be in use, read the copy back, and keep it. Raises MachineFailed."""
    target, draft = folder(config) / name, folder(config) / f".{name}"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        made = backup(config, data, draft)
        kept = note(config, Kept(name, target, time.time(), why, made.bytes, made.databases))
        draft.rename(target)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise MachineFailed(f"the backup of {data.name} cannot be kept: {error}") from error
    return kept


def note(config: Config, kept: Kept) -> Kept:
    """Write down what a backup is. Raises OSError."""
    words = {name: value for name, value in asdict(kept).items() if name not in ("name", "folder")}
    atomic.write(folder(config) / f"{kept.name}.json", json.dumps(words))
    return kept


def every(config: Config) -> list[Kept]:
    """What is kept, the newest first."""
    found = folder(config).iterdir() if folder(config).is_dir() else ()
    names = [each.name for each in found if each.is_dir() and not each.name.startswith(".")]
    return sorted((named(config, name) for name in names), key=lambda kept: -kept.made)


def named(config: Config, name: str) -> Kept:
    """The backup of that name. Raises NotFound."""
    place = folder(config) / name
    if not name or name.startswith(".") or "/" in name or not place.is_dir():
        raise NotFound(f"no backup is named {name!r}: 'aiimprove restore' lists them")
    try:
        known = json.loads((folder(config) / f"{name}.json").read_text("utf-8"))
    except (OSError, ValueError):
        known = {"made": place.stat().st_mtime, "why": "", "bytes": 0, "databases": {}}
    return Kept(name, place, **known)


def verify(kept: Kept) -> None:
    """Read a backup again: sound, and with the rows that it had. Raises MachineFailed."""
    for name, counted in kept.databases.items():
        found, said = rows(kept.folder / name), _soundness(kept.folder / name)
        if said != "ok" or found != counted:
            raise MachineFailed(f"the backup {kept.name} is damaged ({name}: {said}, {sum(found.values())} of "
                                f"{sum(counted.values())} rows)")


def forget(config: Config) -> None:
    """Remove the oldest backups beyond `limits.backups`; the newest one always stays."""
    for old in every(config)[max(1, config.limits.backups):]:
        shutil.rmtree(old.folder, ignore_errors=True)
        (folder(config) / f"{old.name}.json").unlink(missing_ok=True)


def _soundness(database: Path) -> str:
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
