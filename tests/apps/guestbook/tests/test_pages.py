def test_what_is_signed_is_shown(client):
    client.post("/sign", data={"name": "Ann", "words": "lovely place"})
    assert b"lovely place" in client.get("/").data


def test_entries(client):
    client.post("/sign", data={"name": "Ann", "words": "hello"})
    assert client.get("/entries?limit=5").get_json() == [{"name": "Ann", "words": "hello"}]
