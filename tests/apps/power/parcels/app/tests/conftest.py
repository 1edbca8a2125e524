import os
import tempfile

import pytest
from fastapi.testclient import TestClient

os.environ["PARCELS_DB"] = os.path.join(tempfile.mkdtemp(), "parcels.db")


@pytest.fixture(scope="session", autouse=True)
def database():
    import migrate

    migrate.main()


@pytest.fixture
def client(database):
    from server import app

    return TestClient(app)
