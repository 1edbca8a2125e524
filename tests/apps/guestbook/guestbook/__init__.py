import os

from flask import Flask

from guestbook import db, pages


def create_app(test_config=None):
    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY", "dev")
    app.config["DATABASE"] = os.environ.get("GUESTBOOK_DB", os.path.join(app.root_path, "guestbook.sqlite3"))
    if test_config:
        app.config.update(test_config)
    db.init_app(app)
    app.register_blueprint(pages.bp)
    return app
