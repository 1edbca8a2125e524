def test_herbs(client):
    assert len(client.get("/herbs").get_json()) == 2
