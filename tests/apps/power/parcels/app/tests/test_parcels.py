def test_a_parcel_is_sent_and_tracked(client):
    made = client.post("/parcels", json={"receiver": "Ann", "grams": 500, "town": "ulm"}).json()
    assert made["depot"] == "Ulm"
    assert client.get(f"/track/{made['code']}").json() == {"status": "waiting", "for": "Ann"}
    assert client.get(f"/parcels/{made['id']}").json()["receiver"] == "Ann"
    assert client.get(f"/parcels/{made['id']}/postage").json() == {"cents": 430}
    assert made["code"] in [each["code"] for each in client.get("/receivers/Ann").json()["parcels"]]


def test_an_unknown_parcel(client):
    assert client.get("/parcels/99999").status_code == 404


def test_counts(client):
    assert client.get("/counts?status=lost").json() == {"count": 0}


def test_a_list(client):
    client.post("/parcels", json={"receiver": "Bo"})
    assert client.get("/parcels?limit=1").json()[0]["id"] == 1


def test_a_visitor_is_welcomed_once(client):
    assert client.get("/welcome").json() == {"welcome": True}
    assert client.get("/welcome").json() == {"welcome": False}
