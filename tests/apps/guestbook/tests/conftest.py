import pytest

from guestbook import create_app


@pytest.fixture
def client(tmp_path):
    app = create_app({"TESTING": True, "DATABASE": str(tmp_path / "test.sqlite3")})
    with app.app_context():
        app.test_cli_runner().invoke(args=["init-db"])
    return app.test_client()
