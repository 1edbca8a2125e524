import os
import tempfile

import pytest

os.environ["DATABASE_URL"] = f"sqlite:///{tempfile.mkdtemp()}/forum.db"


@pytest.fixture
def client():
    from forum import Post, Thread, app, db

    with app.app_context():
        db.drop_all()
        db.create_all()
        db.session.add(Thread(id=1, title="Welcome", score=3))
        db.session.add(Post(id=1, thread_id=1, author="ann", text="Hello all"))
        db.session.commit()
    return app.test_client()
