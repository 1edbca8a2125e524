from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from bundled_site import chromium, site  # noqa: F401 -- fixtures of the acceptance and browser tests
from tiny import Tiny

from aiimprove.store import Store
from aiimprove.workspace import Workspace

# Started in the background of a script, we would ignore Ctrl-C, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With two processes (-n 2 --dist loadfile), of which each builds the bundled site once: what needs it, and takes
    longest, comes first."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: item.get_closest_marker("site") is None)


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    """A stranger's app in a repository with one commit; nothing runs."""
    return Tiny(tmp_path)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """The app with its commit built and noted as live, to be copied; nothing runs."""
    found = Tiny(tmp_path_factory.mktemp("built"))
    found.pretend_live()
    (found.state / "data" / "live").mkdir(parents=True)
    return found


@pytest.fixture
def engine(tiny: Tiny) -> Iterator[Workspace]:
    with closing((found := tiny.workspace()).store):
        yield found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store(tmp_path / "state.db")
    yield found
    found.close()
