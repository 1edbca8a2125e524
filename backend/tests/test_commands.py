"""migrate.py, seed.py and collect.py as a person runs them, the last against a real service."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from library import schema, seeds
from library.database import Database

BACKEND = Path(__file__).resolve().parent.parent


def run(database: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "VIDEO_LIBRARY_DB": str(database)}
    argv = [sys.executable, *command]
    return subprocess.run(argv, cwd=BACKEND, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_migrating_twice_does_it_once(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    assert "missing" in run(path, "migrate.py", "--status").stdout
    assert not path.exists()
    first, second = run(path, "migrate.py"), run(path, "migrate.py")
    assert first.stdout.count("applied") == len(schema.available())
    assert (first.returncode, second.returncode, second.stdout.count("applied")) == (0, 0, 0)
    assert "missing" not in run(path, "migrate.py", "--status").stdout


def test_a_failing_migration_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.sql").write_text("CREATE TABLE a (x);")
    (folder / "0002_second.sql").write_text("CREATE TABLE b (x);\nCREATE TABLE a (x);")
    connection = schema.prepare(tmp_path / "x.db")
    first, second = schema.missing(connection, folder)
    assert schema.apply(connection, first)
    assert not schema.apply(connection, first)
    with pytest.raises(sqlite3.OperationalError):
        schema.apply(connection, second)
    assert [migration.name for migration in schema.missing(connection, folder)] == ["0002_second"]
    assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'b'").fetchone()


def test_a_trigger_is_one_statement() -> None:
    script = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  DELETE FROM b;\n  DELETE FROM c;\nEND;\nSELECT ';';\nSELECT 1"
    assert len(list(schema.statements(script))) == 3


def test_an_older_release_works_on_a_newer_schema(database: Database) -> None:
    with database.writing() as connection:
        connection.execute("INSERT INTO schema_migrations VALUES ('9999_from_the_future', '')")
    database.require_schema()


def test_seeds_are_the_same_every_time(tmp_path: Path, database: Database) -> None:
    assert list(seeds.made_up(50)) == list(seeds.made_up(50))
    assert (seeds.sow(database, 300), seeds.sow(database, 310)) == (300, 10)
    assert run(database.path, "seed.py", "--rows", "320").stdout.startswith("10 videos added")
    refused = run(tmp_path / "none.db", "seed.py", "--rows", "1")
    assert (refused.returncode, "migrate.py" in refused.stderr) == (1, True)


@pytest.fixture
def service(database_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The real service on a free port, which is ours from before it starts."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host = f"127.0.0.1:{listening.getsockname()[1]}"
        environment = {**os.environ, "VIDEO_LIBRARY_DB": str(database_path), "VIDEO_LIBRARY_ALLOWED_HOSTS": host}
        command = [sys.executable, "-m", "uvicorn", "main_enhanced:app", "--fd", str(listening.fileno())]
        process = subprocess.Popen(
            command, cwd=BACKEND, env=environment, pass_fds=[listening.fileno()], stderr=subprocess.DEVNULL
        )
    yield process, f"http://{host}"
    if process.poll() is None:
        process.kill()
    process.wait(10)


def test_the_demo_site_is_collected_by_the_real_service(
    service: tuple[subprocess.Popen[bytes], str], database_path: Path
) -> None:
    _, base = service
    collected = run(database_path, "collect.py", "--base", base)
    assert collected.returncode == 0, collected.stderr
    assert "broken.html" in collected.stdout
    assert "nothing to do" in run(database_path, "collect.py", "--base", base).stdout
    with urllib.request.urlopen(f"{base}/api/videos?page_size=50", timeout=5) as answer:
        videos = json.load(answer)["items"]
    assert len(videos) == 12
    assert all(video["media_url"] and video["thumbnail_url"] and video["duration"] for video in videos)
    assert not any("robots" in video["title"] for video in videos)


def test_sigterm_ends_a_service_that_crawls_and_frees_its_lease(
    service: tuple[subprocess.Popen[bytes], str], database: Database
) -> None:
    process, base = service
    with database.writing() as connection:
        connection.execute("INSERT INTO sources (url, added) VALUES (?, '')", (f"{base}/demo/",))
    request = urllib.request.Request(f"{base}/api/sources/1/crawl", method="POST")
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 202
    wait_for_a_page(database)
    process.send_signal(signal.SIGTERM)
    process.wait(5)
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM leases").fetchone()[0] == 0
        assert connection.execute("SELECT status FROM crawls").fetchone()["status"] == "queued"


def wait_for_a_page(database: Database) -> None:
    deadline, pause = time.monotonic() + 15, threading.Event()
    while time.monotonic() < deadline:
        with database.reading() as connection:
            if connection.execute("SELECT 1 FROM crawls WHERE pages > 0").fetchone():
                return
        pause.wait(0.05)
    raise AssertionError("no page was read in time")
