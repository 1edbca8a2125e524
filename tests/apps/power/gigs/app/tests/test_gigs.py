def test_the_page(client):
    assert b"Tuba night" in client.get("/").data


def test_a_show(client):
    assert client.get("/shows/1").get_json()["title"] == "Tuba night"
    assert client.get("/shows/99").status_code == 404


def test_shows(client):
    assert len(client.get("/shows?limit=5").get_json()) == 1


def test_a_show_is_added(client):
    assert client.post("/shows", json={"title": " Harps "}).get_json()["title"] == "Harps"
    assert client.post("/shows", json={"title": " "}).status_code == 400


def test_venues(client):
    assert client.get("/venues").get_json()[0]["slug"] == "old-mill"
    assert client.get("/venues/nowhere").status_code == 404
    assert client.get("/venues/old-mill/shows").get_json()["venue"] == "Old Mill"
    assert client.get("/venues/old-mill/address").get_json() == {"address": "Old Mill, Bremen"}


def test_seats(client):
    assert client.post("/shows/1/seats", data={"seats": "3"}).get_json() == {"seats": 3, "show": 1}
    assert client.post("/shows/1/seats", data={"seats": "30"}).status_code == 400
