import pytest

from herbs import create_app


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setenv("HERBS_DB", str(tmp_path / "herbs.db"))
    return create_app().test_client()
