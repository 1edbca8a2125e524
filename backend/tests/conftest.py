"""A migrated database of its own for each test, and a small web site on a free port."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from library import schema
from library.database import Database
from library.fetcher import Fetcher, Limits
from library.found import FoundVideo
from library.guard import Guard
from main_enhanced import app

Answer = tuple[int, dict[str, str], bytes]


def migrate(path: Path) -> Path:
    connection = schema.prepare(path)
    for migration in schema.missing(connection):
        schema.apply(connection, migration)
    connection.close()
    return path


@pytest.fixture
def database_path(tmp_path: Path) -> Path:
    return migrate(tmp_path / "library.db")


@pytest.fixture
def database(database_path: Path) -> Iterator[Database]:
    database = Database(database_path)
    yield database
    database.close()


@pytest.fixture
def client(database_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("VIDEO_LIBRARY_DB", str(database_path))
    monkeypatch.delenv("VIDEO_LIBRARY_ALLOWED_HOSTS", raising=False)
    with TestClient(app) as client:
        yield client


class Site:
    """Answers what a test has put under a path; a callable decides for itself."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                answer = site.answers.get(self.path, (404, {}, b"nothing here"))
                if callable(answer):
                    answer(self)
                    return
                status, headers, body = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.base = f"http://{self.host}"

    def page(self, path: str, body: str, content_type: str = "text/html") -> None:
        self.answers[path] = (200, {"Content-Type": content_type}, body.encode())


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield site
    site.server.shutdown()
    thread.join(5)
    site.server.server_close()


@pytest.fixture
def fetcher(site: Site) -> Fetcher:
    return Fetcher(Guard(frozenset({site.host})), Limits(bytes=50_000, seconds=5.0))


@pytest.fixture
def some_videos() -> list[FoundVideo]:
    return [
        FoundVideo("https://a.example/bread", "Bread in an hour", "With a hot oven.", duration=600,
                   published="2026-01-01T00:00:00Z", category="Cooking", tags=("bread", "quick")),
        FoundVideo("https://a.example/train", "Night train", "Through a mountain of bread.", duration=60,
                   published="2026-03-01T00:00:00Z", category="Travel", tags=("train",)),
        FoundVideo("https://a.example/cafe", "Café und Brötchen", duration=30,
                   published="2026-02-01T00:00:00Z", category="Cooking", tags=("quick",)),
    ]  # fmt: skip
