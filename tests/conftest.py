from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bundled_site import chromium, site  # noqa: F401 -- fixtures of the acceptance and browser tests
from tiny import Tiny

from aiimprove.store import Store


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    """A stranger's app in a repository with one commit; nothing runs."""
    return Tiny(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store(tmp_path / "state.db")
    yield found
    found.close()
