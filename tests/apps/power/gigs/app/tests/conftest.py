import pytest

from gigs import create_app
from gigs.db import get_db


@pytest.fixture
def client(tmp_path):
    app = create_app({"TESTING": True, "DATABASE": str(tmp_path / "test.sqlite3")})
    with app.app_context():
        get_db().execute("INSERT INTO venues VALUES (1, 'old-mill', 'Old Mill', 'Bremen')")
        get_db().execute("INSERT INTO shows (venue_id, title, day) VALUES (1, 'Tuba night', '2026-05-01')")
        get_db().commit()
    return app.test_client()
