import os
import sqlite3
from uuid import UUID

from flask import Flask, jsonify, request

PRICES = {"small": 2, "large": 5}
SCHEMA = """
    CREATE TABLE IF NOT EXISTS herbs (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE IF NOT EXISTS growers (name TEXT, town TEXT);
    INSERT OR IGNORE INTO herbs VALUES (1, 'dill'), (2, 'sage');
"""


def connect():
    connection = sqlite3.connect(os.environ["HERBS_DB"])
    connection.row_factory = sqlite3.Row
    connection.executescript(SCHEMA)
    return connection


def create_app():
    app = Flask(__name__)

    @app.get("/ping")
    def ping():
        return "pong"

    @app.get("/herbs")
    def herbs():
        limit = int(request.args.get("limit", 20))
        rows = connect().execute("SELECT * FROM herbs LIMIT ?", (limit,)).fetchall()
        return jsonify([dict(row) for row in rows])

    @app.get("/herbs/<int:herb_id>")
    def herb(herb_id):
        row = connect().execute("SELECT * FROM herbs WHERE id = ?", (herb_id,)).fetchone()
        return jsonify(dict(row))

    @app.get("/growers/<name>")
    def grower(name):
        found = connect().execute("SELECT town FROM growers WHERE name = ?", (name,)).fetchone()
        return jsonify(town=found["town"])

    @app.get("/orders/<number>")
    def order(number):
        return jsonify(version=UUID(number).version)

    @app.route("/price")
    def price():
        return jsonify(price=PRICES[request.args.get("size", "small")])

    @app.post("/herbs")
    def add():
        herb = request.get_json()
        return jsonify(name=herb["name"].strip()), 201

    return app
