"""Files and links that are replaced in one step: who reads, and who comes after a crash, finds the old or the new."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write(file: Path, content: str | bytes, *, mode: int = 0o666) -> None:
    """Replace the content of a file. Raises OSError and leaves the old one."""
    _replace(file, content, mode, flushed=False)


def write_durably(file: Path, content: str | bytes, *, mode: int = 0o666) -> None:
    """The same, and when it returns the content is there even if the power fails."""
    _replace(file, content, mode, flushed=True)
    flush(file.parent)


def make_once(file: Path, content: bytes) -> bytes:
    """What a file for our eyes only holds: `content`, when it is not there yet. Of many makers the first one counts."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = _draft(file)
        write_durably(draft, content, mode=0o600)
        with suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()
    return file.read_bytes()


def link(place: Path, target: Path | str) -> None:
    """Make a symbolic link, or have it lead elsewhere."""
    draft = _draft(place)
    draft.symlink_to(target)
    draft.replace(place)


def flush(path: Path) -> None:
    """Have a file, or the names in a folder, written to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(file: Path, content: str | bytes, mode: int, *, flushed: bool) -> None:
    draft = _draft(file)
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as opened:
            opened.write(content.encode() if isinstance(content, str) else content)
            if flushed:
                opened.flush()
                os.fsync(opened.fileno())
        draft.replace(file)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _draft(file: Path) -> Path:
    return file.with_name(f".{file.name}.{os.urandom(4).hex()}")
