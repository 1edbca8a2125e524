"""Names of files that hold a hash of what is in the file, so that another content has another name."""

from __future__ import annotations

import re

HASHED = r"[.-](?=\w*\d)(?=\w*[A-Za-z])(?:[0-9a-f]{8,32}|(?=\w*[A-Z])(?=\w*[a-z])\w{8})\.\w+$"
"""Of hexadecimal digits, or Vite's eight characters of both cases; digits and letters in either. It reads the same in
Python and JavaScript."""


def is_hashed(path: str) -> bool:
    return re.search(HASHED, path) is not None
