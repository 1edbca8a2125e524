def test_a_label(client):
    assert client.get("/seeds/dill/label").json() == {"label": "Dill"}
