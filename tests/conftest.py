from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from bundled_site import chromium, site  # noqa: F401 -- fixtures of the acceptance and browser tests
from tiny import Tiny

from aiimprove.store import Store

# Started in the background of a script, we would ignore Ctrl-C, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    """A stranger's app in a repository with one commit; nothing runs."""
    return Tiny(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store(tmp_path / "state.db")
    yield found
    found.close()
