import pytest

from cellar import create_app


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setenv("CELLAR_DB", str(tmp_path / "cellar.db"))
    return create_app().test_client()


def test_search(client):
    assert "2 wines for Beau" in client.get("/search?q=Beau").text


def test_regions(client):
    assert [row["name"] for row in client.get("/regions/Piemonte").json] == ["Barolo"]


def test_known(client):
    assert client.get("/known?name=Barolo").json == {"known": True}
