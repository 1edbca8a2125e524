"""Keeping the databases of a copy, so that they can be put back after it was treated badly."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_MAGIC = b"SQLite format 3\x00"
BUSY_SECONDS = 10.0


@contextmanager
def kept(data: Path) -> Iterator[Callable[[], None]]:
    """Keeps every SQLite database below `data` while the block runs; what it gives puts them back.

    The app may have them open: they are written through SQLite, as one transaction each. Raises sqlite3.Error.
    """
    with tempfile.TemporaryDirectory(prefix="aiimprove-kept-") as folder:
        pairs = [(path, Path(folder) / str(number)) for number, path in enumerate(databases(data))]
        for path, kept_file in pairs:
            clone(path, kept_file)

        def restore() -> None:
            for path, kept_file in pairs:
                clone(kept_file, path)

        yield restore


def databases(data: Path) -> list[Path]:
    """The SQLite files below a folder, told by their first bytes."""
    return sorted(path for path in data.rglob("*") if path.is_file() and not path.is_symlink() and _is_database(path))


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def clone(source: Path, destination: Path) -> None:
    """Copies a database that may be in use over another one, or into a new file."""
    with closing(sqlite3.connect(source, timeout=BUSY_SECONDS)) as old, \
            closing(sqlite3.connect(destination, timeout=BUSY_SECONDS)) as new:
        old.backup(new)
