import os

from flask import Flask

from gigs import db, shows, venues


def create_app(test_config=None):
    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY", "dev")
    app.config["DATABASE"] = os.environ.get("GIGS_DB", os.path.join(app.root_path, "gigs.sqlite3"))
    if test_config:
        app.config.update(test_config)
    db.init_app(app)
    app.register_blueprint(shows.bp)
    app.register_blueprint(venues.bp, url_prefix="/venues")
    return app
