from flask import Blueprint, jsonify, redirect, render_template, request

from guestbook.db import get_db

bp = Blueprint("pages", __name__)


@bp.route("/")
def index():
    rows = get_db().execute("SELECT * FROM entries ORDER BY id DESC LIMIT 50").fetchall()
    return render_template("index.html", entries=rows)


@bp.route("/entries")
def entries():
    limit = int(request.args.get("limit", 20))
    rows = get_db().execute("SELECT name, words FROM entries ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
    return jsonify([dict(row) for row in rows])


@bp.route("/sign", methods=["POST"])
def sign():
    db = get_db()
    db.execute("INSERT INTO entries (name, words) VALUES (?, ?)", (request.form["name"], request.form["words"]))
    db.commit()
    return redirect("/")


@bp.route("/ping")
def ping():
    return "pong"
