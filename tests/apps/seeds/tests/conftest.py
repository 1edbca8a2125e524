import pytest
from fastapi.testclient import TestClient


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setenv("SEEDS_DB", str(tmp_path / "seeds.db"))
    from seeds import app
    with TestClient(app) as client:
        yield client
