from fastapi.testclient import TestClient

from app.main import app

client = TestClient(app)


def test_a_recipe_can_be_added_and_read():
    made = client.post("/recipes", json={"title": "Soup", "minutes": 20, "steps": ["cut", "cook"]}).json()
    assert client.get(f"/recipes/{made['id']}").json()["steps"] == ["cut", "cook"]


def test_an_unknown_recipe():
    assert client.get("/recipes/999999").status_code == 404
