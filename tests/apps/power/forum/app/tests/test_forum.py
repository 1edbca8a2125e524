def test_threads(client):
    assert client.get("/threads").get_json() == [{"thread_id": 1, "title": "Welcome"}]
    assert client.get("/threads?sort=best").get_json() == [{"thread_id": 1, "title": "Welcome"}]


def test_a_thread(client):
    assert client.get("/threads/1").get_json() == {"title": "Welcome", "score": 3}
    assert client.get("/threads/9").status_code == 404
    assert client.get("/threads/1/first").get_json()["text"] == "Hello all"
    assert client.put("/threads/1", json={"title": "Hi"}).get_json() == {"title": "Hi"}


def test_posts(client):
    assert client.get("/posts/1").get_json()["author"] == "ann"
    assert client.get("/authors/ann").get_json() == {"posts": ["Hello all"]}
    assert client.get("/authors/nobody").get_json() == {"posts": []}
    assert client.get("/authors/ann/newest").get_json() == {"text": "Hello all"}


def test_a_share(client):
    assert client.get("/share?amount=2.5").get_json() == {"cents": "250"}


def test_who_enters(client):
    assert "auth_token" in client.get("/enter").headers["Set-Cookie"]
