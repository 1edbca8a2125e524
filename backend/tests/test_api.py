from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from library import catalogue
from library.database import Database
from library.found import FoundVideo
from main_enhanced import app


@pytest.fixture
def ids(database: Database, some_videos: list[FoundVideo]) -> list[int]:
    with database.writing() as connection:
        for video in some_videos:
            catalogue.keep(connection, video, None)
        return [row["id"] for row in connection.execute("SELECT id FROM videos ORDER BY id")]


def test_alive_and_ready(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    ready = client.get("/ready")
    assert ready.status_code == 200
    assert ready.json() == {
        "status": "ready",
        "database": "writable",
        "crawl": {"crawler": "on", "holder": None, "unfinished": False},
    }


def test_a_service_without_its_schema_says_so_and_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDEO_LIBRARY_DB", str(tmp_path / "none.db"))
    with TestClient(app) as client:
        assert client.get("/health").status_code == 200
        assert client.get("/ready").status_code == 503
        answer = client.get("/api/videos")
        assert answer.status_code == 503
        assert "migrate.py" in answer.json()["detail"]
    assert not (tmp_path / "none.db").exists()


def test_ready_notices_a_database_that_another_process_has_locked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDEO_LIBRARY_DB", str(database.path))
    monkeypatch.setattr("library.database.BUSY_TIMEOUT_SECONDS", 0.05)
    with TestClient(app) as client:
        with database.writing():
            answer = client.get("/ready")
        assert client.get("/ready").status_code == 200
    assert answer.status_code == 503
    assert answer.json()["database"].startswith("not writable")


def test_a_video_has_the_promised_fields(client: TestClient, ids: list[int]) -> None:
    video = client.get(f"/api/videos/{ids[0]}").json()
    assert set(video) == {
        "id", "title", "description", "url", "media_url", "thumbnail_url", "duration", "published", "category",
        "tags", "favourite", "plays", "source_id", "added",
    }  # fmt: skip
    assert video["tags"] == ["bread", "quick"]
    assert client.get("/api/videos/999").status_code == 404


def test_lists_are_paged(client: TestClient, ids: list[int]) -> None:
    second = client.get("/api/videos", params={"page": 2, "page_size": 2}).json()
    assert (second["total"], second["page"], second["page_size"], len(second["items"])) == (3, 2, 2, 1)
    assert client.get("/api/videos", params={"sort": "magic"}).status_code == 422


def test_what_a_human_wrote_survives_the_next_crawl(
    client: TestClient, ids: list[int], database: Database, some_videos: list[FoundVideo]
) -> None:
    change = {"category": "Baking", "tags": ["mine"]}
    assert client.patch(f"/api/videos/{ids[0]}", json=change).json()["category"] == "Baking"
    with database.writing() as connection:
        catalogue.keep(connection, some_videos[0], None)
    assert client.get(f"/api/videos/{ids[0]}").json()["tags"] == ["mine"]
    assert client.get("/api/videos", params={"q": "mine"}).json()["total"] == 1
    assert client.get("/api/videos", params={"tag": "bread"}).json()["total"] == 0
    assert client.patch("/api/videos/999", json=change).status_code == 404


def test_a_change_of_one_field_leaves_the_other(client: TestClient, ids: list[int]) -> None:
    assert client.patch(f"/api/videos/{ids[0]}", json={"category": None}).json()["tags"] == ["bread", "quick"]
    assert client.patch(f"/api/videos/{ids[0]}", json={"tags": []}).json()["category"] is None


def test_plays_and_favourites(client: TestClient, ids: list[int]) -> None:
    assert client.post(f"/api/videos/{ids[1]}/play").json() == {"plays": 1}
    assert client.post(f"/api/videos/{ids[1]}/play").json() == {"plays": 2}
    assert client.get("/api/videos", params={"sort": "plays"}).json()["items"][0]["id"] == ids[1]
    assert client.put(f"/api/videos/{ids[2]}/favourite").json() == {"favourite": True}
    assert client.get("/api/videos", params={"favourite": True}).json()["total"] == 1
    assert client.delete(f"/api/videos/{ids[2]}/favourite").json() == {"favourite": False}
    assert client.get("/api/videos", params={"favourite": True}).json()["total"] == 0
    for answer in (client.post("/api/videos/999/play"), client.put("/api/videos/999/favourite")):
        assert answer.status_code == 404


def test_categories_and_tags_are_counted(client: TestClient, ids: list[int]) -> None:
    counted = [{"name": "Cooking", "count": 2}, {"name": "Travel", "count": 1}]
    assert client.get("/api/categories").json() == counted
    assert client.get("/api/tags").json()[0] == {"name": "quick", "count": 2}


def test_a_playlist_from_birth_to_death(client: TestClient, ids: list[int]) -> None:
    address = f"/api/playlists/{client.post('/api/playlists', json={'name': ' Evening '}).json()['id']}"
    for video_id in (*ids, ids[0]):
        assert client.post(f"{address}/items", json={"video_id": video_id}).status_code == 201
    assert [item["id"] for item in client.get(address).json()["items"]] == ids
    turned = client.put(f"{address}/items", json={"video_ids": ids[::-1]}).json()
    assert [item["id"] for item in turned["items"]] == ids[::-1]
    assert client.put(f"{address}/items", json={"video_ids": ids[:1]}).status_code == 409
    assert client.delete(f"{address}/items/{ids[1]}").json()["count"] == 2
    assert client.delete(f"{address}/items/{ids[1]}").status_code == 404
    assert client.patch(address, json={"name": "Morning"}).json()["name"] == "Morning"
    assert [(each["name"], each["count"]) for each in client.get("/api/playlists").json()] == [("Morning", 2)]
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404


def test_a_playlist_takes_only_what_exists(client: TestClient, ids: list[int]) -> None:
    assert client.post("/api/playlists", json={"name": "  "}).status_code == 422
    assert client.post("/api/playlists/7/items", json={"video_id": ids[0]}).status_code == 404
    playlist = client.post("/api/playlists", json={"name": "Empty"}).json()
    assert client.post(f"/api/playlists/{playlist['id']}/items", json={"video_id": 999}).status_code == 404


def test_sources_are_listed_once_and_forgotten_without_their_videos(
    client: TestClient, database: Database, some_videos: list[FoundVideo]
) -> None:
    first = client.post("/api/sources", json={"url": "https://A.example/feed#top"})
    again = client.post("/api/sources", json={"url": "https://a.example/feed"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert client.post("/api/sources", json={"url": "file:///etc/passwd"}).status_code == 422
    with database.writing() as connection:
        catalogue.keep(connection, some_videos[0], first.json()["id"])
    assert client.get("/api/sources").json()[0]["videos"] == 1
    assert client.delete(f"/api/sources/{first.json()['id']}").status_code == 204
    assert client.get("/api/videos").json()["items"][0]["source_id"] is None
    assert client.delete("/api/sources/999").status_code == 404


def test_searches_that_find_nothing_are_counted_without_personal_data(client: TestClient, ids: list[int]) -> None:
    for words in ("Zebra", " zebra ", "me@mail.example", "0301234567", "bread"):
        assert client.get("/api/videos", params={"q": words}).status_code == 200
    assert client.get("/api/usage/empty-searches").json() == [{"query": "zebra", "count": 2}]


def test_events_are_recorded_and_bounded(client: TestClient, database: Database) -> None:
    assert client.post("/api/events", json={"type": "page_view", "path": "/a?token=secret"}).json() == {"id": 1}
    assert client.post("/api/events", json={"type": "search", "query": "lynx", "results": 0}).json() == {"id": 2}
    assert client.post("/api/events", json={"type": "spy"}).status_code == 422
    assert client.post("/api/events", json={"type": "search", "query": "x" * 1000}).status_code == 422
    with database.reading() as connection:
        assert connection.execute("SELECT path FROM usage_events WHERE id = 1").fetchone()["path"] == "/a"


def test_text_that_is_no_text_is_refused(client: TestClient) -> None:
    answer = client.post("/api/playlists", content=b'{"name": "\\ud800"}', headers={"content-type": "application/json"})
    assert answer.status_code == 422


def test_the_contract_is_published(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/health", "/ready", "/api/videos", "/api/playlists/{playlist_id}/items"} <= set(paths)


def test_the_demo_site_is_served_with_ranges(client: TestClient) -> None:
    part = client.get("/demo/clips/slow-wheel.mp4", headers={"Range": "bytes=0-99"})
    assert (part.status_code, len(part.content)) == (206, 100)
    assert "/demo/private/" in client.get("/robots.txt").text
