import pytest
from fastapi.testclient import TestClient

from shelf.server import build_application


@pytest.fixture
def http(tmp_path, monkeypatch):
    monkeypatch.setenv("SHELF_DB", str(tmp_path / "shelf.db"))
    with TestClient(build_application()) as client:
        yield client
