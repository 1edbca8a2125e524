"""Where a process comes from."""

from __future__ import annotations

import os
from pathlib import Path


def descends_from(marker: str) -> bool:
    """Whether any ancestor of this process has `marker` in its command line."""
    pid = os.getppid()
    while pid > 1:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
            parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            return False
        if marker in words:
            return True
        pid = int(parent)
    return False
