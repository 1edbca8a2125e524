from fastapi.testclient import TestClient
from service import api

client = TestClient(api)


def test_notes():
    assert client.get("/notes").status_code == 200
