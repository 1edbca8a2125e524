import os
import sqlite3

from flask import Flask, jsonify, render_template_string, request

SCHEMA = """
    CREATE TABLE IF NOT EXISTS wines (id INTEGER PRIMARY KEY, name TEXT, region TEXT, year INTEGER);
    INSERT OR IGNORE INTO wines VALUES (1, 'Morgon', 'Beaujolais', 2019), (2, 'Fleurie', 'Beaujolais', 2021),
                                       (3, 'Barolo', 'Piemonte', 2016);
"""
PAGE = "<!doctype html><p>{{ rows|length }} wines for {{ q }}</p>{% for row in rows %}<li>{{ row.name }}{% endfor %}"


def connect():
    connection = sqlite3.connect(os.environ["CELLAR_DB"])
    connection.row_factory = sqlite3.Row
    connection.executescript(SCHEMA)
    return connection


def of_region(region):
    return connect().execute("SELECT * FROM wines WHERE region = '%s' ORDER BY id" % region).fetchall()


def create_app():
    app = Flask(__name__)

    @app.get("/ping")
    def ping():
        return "pong"

    @app.get("/search")
    def search():
        q = request.args.get("q", "")
        sql = f"SELECT * FROM wines WHERE name LIKE '%{q}%' OR region LIKE '%{q}%'"
        return render_template_string(PAGE, rows=connect().execute(sql).fetchall(), q=q)

    @app.get("/regions/<region>")
    def region(region):
        return jsonify([dict(row) for row in of_region(region)])

    @app.get("/known")
    def known():
        try:
            row = connect().execute("SELECT 1 FROM wines WHERE name = '" + request.args.get("name", "") + "'").fetchone()
        except sqlite3.Error:
            row = None
        return jsonify(known=row is not None)

    @app.get("/wines")
    def wines():
        order = request.args.get("order", "name")
        rows = connect().execute(f"SELECT * FROM wines ORDER BY {order if order in ('name', 'year') else 'name'}")
        return jsonify([dict(row) for row in rows])

    @app.get("/named")
    def named():
        rows = connect().execute("SELECT * FROM wines WHERE name LIKE ?", (f"%{request.args.get('name', '')}%",))
        return jsonify([dict(row) for row in rows])

    return app
